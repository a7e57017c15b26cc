#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "formats/array.h"
#include "formats/dataset.h"
#include "formats/run_blocks.h"

namespace millrace {

/// Dataset::read() of data that are all in memory, or mapped (Dataset::contiguous()).
void read_in_place(const Dataset& data, std::span<const std::uint64_t> ids,
                   std::span<std::byte> samples, std::span<std::int32_t> labels);

/// An array of samples, in memory or mapped, and their labels.
class ArrayDataset final : public DiskDataset {
 public:
  /// `samples`: [count, …] of any type, with at least one element a sample; `labels`, `classes` and
  /// `task`: as array_labels() has them. Throws DataError as that and array_sample_shape do.
  ArrayDataset(Array samples, const Array& labels, std::optional<std::uint32_t> classes = {},
               Task task = Task::kClassification);
  /// Precondition: a class or targets for each sample. `class_names`: of all classes, or empty;
  /// `columns`: of each value of a sample, and of each target, or empty.
  ArrayDataset(Array samples, Labels labels, std::vector<std::string> class_names = {},
               ColumnNames columns = {});

  /// The same values, labels and names as samples of another shape of as many elements.
  std::shared_ptr<const ArrayDataset> shaped(const SampleShape& shape) const;

  std::uint64_t size() const noexcept override { return samples_.dims[0]; }
  const SampleShape& shape() const noexcept override { return shape_; }
  DType dtype() const noexcept override { return samples_.dtype; }
  std::uint32_t classes() const noexcept override { return labels_.classes; }
  std::uint32_t targets() const noexcept override { return labels_.targets; }
  const std::vector<std::string>& class_names() const noexcept override { return class_names_; }
  const ColumnNames& column_names() const noexcept override { return columns_; }
  /// The samples' array.
  std::string name() const override { return samples_.name; }
  std::string hash() const override;
  void read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
            std::span<std::int32_t> labels) const override;
  ContiguousView contiguous() const noexcept override { return {samples_.data, labels_.values}; }
  bool on_disk() const noexcept override { return samples_.mapped; }
  void expect(std::uint64_t first, std::uint64_t count) const noexcept override;
  void forget(std::uint64_t first, std::uint64_t count) const noexcept override;

 private:
  Array samples_;
  SampleShape shape_;
  Labels labels_;
  std::vector<std::string> class_names_;
  ColumnNames columns_;
  mutable std::mutex hash_mutex_;
  mutable std::string hash_;  // empty until somebody asks
};

}  // namespace millrace
