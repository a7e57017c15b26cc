#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "formats/block_dataset.h"
#include "tests/support/fake_dataset.h"

namespace millrace::testing {

/// A FakeDataset in blocks of the sizes given. A block with a sample that fails cannot be decoded;
/// its others can be read.
class FakeBlocks : public BlockDataset {
 public:
  FakeBlocks(std::span<const std::uint64_t> sizes, std::uint64_t elements)
      : data_(sum(sizes), elements, DType::kUInt8, FakeDataset::Access::kReadOnly) {
    for (std::uint64_t first = 0; const auto size : sizes) {
      blocks_.push_back({first, size});
      first += size;
    }
    for (std::uint64_t i = 0; i < data_.size(); ++i)
      labels_.push_back(static_cast<std::int32_t>(i));
  }

  void fail_at(std::uint64_t sample) { data_.fail_at(sample); }

  std::uint64_t size() const noexcept override { return data_.size(); }
  const SampleShape& shape() const noexcept override { return data_.shape(); }
  DType dtype() const noexcept override { return data_.dtype(); }
  std::uint32_t classes() const noexcept override { return data_.classes(); }
  std::string name() const override { return data_.name(); }
  void read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
            std::span<std::int32_t> labels) const override {
    data_.read(ids, samples, labels);
  }

  std::span<const Block> blocks() const noexcept override { return blocks_; }
  std::span<const std::int32_t> labels() const noexcept override { return labels_; }
  void expect_block(std::size_t) const noexcept override {}
  using BlockDataset::decode_block;
  void decode_block(std::size_t index, std::span<std::byte> samples) const override {
    const auto& block = blocks_.at(index);
    std::vector<std::uint64_t> ids(block.count);
    for (std::uint64_t i = 0; i < block.count; ++i) ids[i] = block.first + i;
    std::vector<std::int32_t> labels(block.count);
    data_.read(ids, samples, labels);
  }

 private:
  static std::uint64_t sum(std::span<const std::uint64_t> sizes) {
    std::uint64_t sum = 0;
    for (const auto size : sizes) sum += size;
    return sum;
  }

  FakeDataset data_;
  std::vector<Block> blocks_;
  std::vector<std::int32_t> labels_;
};

}  // namespace millrace::testing
