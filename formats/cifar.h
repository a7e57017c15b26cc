#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "formats/array_dataset.h"
#include "formats/forwarding_dataset.h"

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
class CifarDataset final : public ForwardingDataset<Dataset, ArrayDataset> {
 public:
  /// Throws DataError: no files, a file that cannot be read, is empty or ends within a record, a
  /// label that is too large.
  CifarDataset(CifarKind kind, const std::vector<std::filesystem::path>& files);

  std::string hash() const override { return of().hash(); }
  void read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
            std::span<std::int32_t> labels) const override {
    of().read(ids, samples, labels);
  }
  ContiguousView contiguous() const noexcept override { return of().contiguous(); }
};

}  // namespace millrace
