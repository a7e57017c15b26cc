#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "formats/dataset.h"
#include "formats/idx.h"
#include "formats/idx_pair.h"
#include "formats/run_blocks.h"

namespace millrace {

/// A pair of IDX files, samples and their labels, all in memory.
class IdxDataset final : public DiskDataset {
 public:
  /// More classes than this are taken for a broken label file.
  static constexpr std::uint32_t kMostClasses = kMostIdxClasses;

  /// `images`: [count, …] of any type, with at least one element a sample. `labels`: [count] of an
  /// integer type. `classes`: what labels must lie below; none: one more than the largest label.
  /// Throws DataError naming the file: wrong rank or type, counts that differ, no samples, a label
  /// that is negative or outside the classes (with its byte). `class_names`: of all classes, or
  /// empty.
  IdxDataset(IdxArray images, const IdxArray& labels, std::optional<std::uint32_t> classes = {},
             std::vector<std::string> class_names = {});
  /// Reads both files.
  static std::shared_ptr<const IdxDataset> open(const std::filesystem::path& images,
                                                const std::filesystem::path& labels,
                                                std::optional<std::uint32_t> classes = {});

  std::uint64_t size() const noexcept override { return labels_.size(); }
  const SampleShape& shape() const noexcept override { return shape_; }
  DType dtype() const noexcept override { return images_.dtype(); }
  std::uint32_t classes() const noexcept override { return classes_; }
  const std::vector<std::string>& class_names() const noexcept override { return class_names_; }
  /// The images' file.
  std::string name() const override { return images_.path().string(); }
  std::string hash() const override;
  void read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
            std::span<std::int32_t> labels) const override;
  ContiguousView contiguous() const noexcept override { return {images_.data(), labels_}; }
  bool on_disk() const noexcept override { return images_.mapped(); }
  void expect(std::uint64_t first, std::uint64_t count) const noexcept override;
  void forget(std::uint64_t first, std::uint64_t count) const noexcept override;

 private:
  IdxArray images_;
  SampleShape shape_;
  std::vector<std::int32_t> labels_;
  std::uint32_t classes_ = 0;
  std::vector<std::string> class_names_;
  mutable std::mutex hash_mutex_;
  mutable std::string hash_;  // empty until somebody asks
};

}  // namespace millrace
