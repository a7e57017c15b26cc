#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <span>
#include <vector>

#include "formats/block_dataset.h"
#include "formats/forwarding_dataset.h"
#include "tests/support/fake_dataset.h"

namespace millrace::testing {

/// A FakeDataset in blocks of the sizes given. A block with a sample that fails cannot be decoded;
/// its others can be read.
class FakeBlocks : public ForwardingDataset<BlockDataset, FakeDataset> {
 public:
  FakeBlocks(std::span<const std::uint64_t> sizes, std::uint64_t elements,
             std::span<const std::uint64_t> failing = {}, std::uint32_t targets = 0)
      : ForwardingDataset(data_of(sizes, elements, failing, targets)) {
    for (std::uint64_t first = 0; const auto size : sizes) {
      blocks_.push_back({first, size});
      first += size;
    }
  }

  void read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
            std::span<std::int32_t> labels) const override {
    of().read(ids, samples, labels);
  }

  std::span<const Block> blocks() const noexcept override { return blocks_; }
  std::span<const std::int32_t> labels() const noexcept override { return of().labels(); }
  void expect_block(std::size_t) const noexcept override {}
  using BlockDataset::decode_block;
  void decode_block(std::size_t index, std::span<std::byte> samples) const override {
    const auto& block = blocks_.at(index);
    std::vector<std::uint64_t> ids(block.count);
    std::iota(ids.begin(), ids.end(), block.first);
    std::vector<std::int32_t> labels(block.count * label_words());
    read(ids, samples, labels);
  }

 private:
  static std::shared_ptr<const FakeDataset> data_of(std::span<const std::uint64_t> sizes,
                                                    std::uint64_t elements,
                                                    std::span<const std::uint64_t> failing,
                                                    std::uint32_t targets) {
    const auto size = std::accumulate(sizes.begin(), sizes.end(), std::uint64_t{0});
    auto data = std::make_shared<FakeDataset>(size, elements, DType::kUInt8,
                                              FakeDataset::Access::kContiguous, targets);
    for (const auto id : failing) data->fail_at(id);
    return data;
  }

  std::vector<Block> blocks_;
};

}  // namespace millrace::testing
