#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "formats/dataset.h"

namespace millrace {

/// The binary version of CIFAR-10 and CIFAR-100 (Krizhevsky 2009,
/// https://www.cs.toronto.edu/~kriz/cifar.html): records of one label byte (CIFAR-100: a coarse and
/// a fine one), then 1024 bytes each of red, green and blue, row by row.
enum class CifarKind : std::uint8_t { kCifar10, kCifar100 };

struct CifarFiles {
  CifarKind kind = CifarKind::kCifar10;
  std::vector<std::filesystem::path> train;  ///< in order
  std::vector<std::filesystem::path> test;   ///< empty: none
};

/// data_batch_1.bin, data_batch_2.bin, … and test_batch.bin; or train.bin and test.bin. nullopt if
/// `folder` has no training file of either. Throws DataError if it has both, or if a batch between
/// two others is missing.
std::optional<CifarFiles> find_cifar_files(const std::filesystem::path& folder);

/// Samples are [32, 32, 3] uint8, RGB, as ImageFolder gives them; the labels of CIFAR-100 are the
/// fine ones. All of it lies in memory: 3 KB a sample.
class CifarDataset final : public Dataset {
 public:
  /// Throws DataError: no files, a file that cannot be read, is empty or ends within a record, a
  /// label that is too large.
  CifarDataset(CifarKind kind, const std::vector<std::filesystem::path>& files);

  std::uint64_t size() const noexcept override { return labels_.size(); }
  const SampleShape& shape() const noexcept override { return shape_; }
  DType dtype() const noexcept override { return DType::kUInt8; }
  std::uint32_t classes() const noexcept override { return classes_; }
  std::string name() const override { return name_; }
  std::string hash() const override;
  void read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
            std::span<std::int32_t> labels) const override;
  ContiguousView contiguous() const noexcept override { return {samples_, labels_}; }

 private:
  void append(CifarKind kind, const std::filesystem::path& file);

  SampleShape shape_;
  std::uint32_t classes_;
  std::string name_;
  std::vector<std::byte> samples_;
  std::vector<std::int32_t> labels_;
  mutable std::mutex hash_mutex_;
  mutable std::string hash_;  // empty until somebody asks
};

}  // namespace millrace
