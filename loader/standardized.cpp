#include "loader/standardized.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "formats/block_dataset.h"
#include "formats/forwarding_dataset.h"
#include "formats/idx_pair.h"
#include "loader/convert.h"

namespace millrace {
namespace {

constexpr std::size_t kStoredAtOnce = std::size_t{256} << 10U;  // bytes

class StandardizedDataset final : public ForwardingDataset<Dataset> {
 public:
  StandardizedDataset(std::shared_ptr<const Dataset> data, std::shared_ptr<const Standardizer> by)
      : ForwardingDataset(std::move(data)), by_(std::move(by)) {}

  const Dataset& stored() const noexcept { return of(); }
  DType dtype() const noexcept override { return DType::kFloat32; }
  const ColumnNames& column_names() const noexcept override { return of().column_names(); }
  std::span<const std::int32_t> labels() const noexcept override { return of().labels(); }

  std::string hash() const override {
    const std::scoped_lock lock(hash_mutex_);
    if (hash_.empty()) hash_ = hash_by_reading(*this);
    return hash_;
  }

  void read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
            std::span<std::int32_t> labels) const override {
    check_read(*this, ids, samples, labels);
    const auto bytes = static_cast<std::size_t>(sample_bytes());
    const auto stored_bytes = static_cast<std::size_t>(of().sample_bytes());
    const auto at_once = std::clamp<std::size_t>(kStoredAtOnce / stored_bytes, 1,
                                                 std::max<std::size_t>(1, ids.size()));
    std::vector<std::byte> stored(at_once * stored_bytes);
    for (std::size_t first = 0; first < ids.size(); first += at_once) {
      const auto count = std::min(at_once, ids.size() - first);
      const auto some = std::span(stored).first(count * stored_bytes);
      of().read(ids.subspan(first, count), some, labels.subspan(first, count));
      make(some, samples.subspan(first * bytes, count * bytes));
    }
  }

  /// Makes `samples`, which need not be aligned, of as many stored ones.
  void make(std::span<const std::byte> stored, std::span<std::byte> samples) const {
    std::vector<float> rows(samples.size() / sizeof(float));
    to_float32(of().dtype(), stored, rows);
    by_->apply(rows);
    if (!rows.empty()) std::memcpy(samples.data(), rows.data(), samples.size());
  }

 private:
  std::shared_ptr<const Standardizer> by_;
  mutable std::mutex hash_mutex_;
  mutable std::string hash_;  // empty until somebody asks
};

/// The same of what is in blocks.
class StandardizedBlocks final : public ForwardingDataset<BlockDataset, StandardizedDataset> {
 public:
  StandardizedBlocks(std::shared_ptr<const StandardizedDataset> all,
                     std::shared_ptr<const BlockDataset> stored)
      : ForwardingDataset(std::move(all)), stored_(std::move(stored)) {}

  const Dataset& stored() const noexcept { return *stored_; }
  const ColumnNames& column_names() const noexcept override { return of().column_names(); }
  void read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
            std::span<std::int32_t> labels) const override {
    of().read(ids, samples, labels);
  }
  std::span<const Block> blocks() const noexcept override { return stored_->blocks(); }
  std::span<const std::int32_t> labels() const noexcept override { return stored_->labels(); }
  void expect_block(std::size_t index) const noexcept override { stored_->expect_block(index); }
  using BlockDataset::decode_block;
  void decode_block(std::size_t index, std::span<std::byte> samples) const override {
    if (index >= blocks().size()) throw std::out_of_range(name() + ": no such block");
    const auto count = blocks()[index].count;
    check_room(count, samples);
    std::vector<std::byte> stored(static_cast<std::size_t>(count * stored_->sample_bytes()));
    stored_->decode_block(index, stored);
    of().make(stored, samples);
  }

 private:
  std::shared_ptr<const BlockDataset> stored_;
};

}  // namespace

std::shared_ptr<const Dataset> standardized(std::shared_ptr<const Dataset> data,
                                            std::shared_ptr<const Standardizer> by) {
  if (!by) return data;
  const std::uint64_t features = data->shape().elements();
  if (by->mean.size() != features || by->deviation.size() != features) {
    throw std::invalid_argument(
        data->name() + ": expected samples of " + std::to_string(by->mean.size()) +
        " values to standardise, found samples of " + std::to_string(features));
  }
  auto blocks = std::dynamic_pointer_cast<const BlockDataset>(data);
  auto all = std::make_shared<const StandardizedDataset>(std::move(data), std::move(by));
  if (!blocks) return all;
  return std::make_shared<const StandardizedBlocks>(std::move(all), std::move(blocks));
}

const Dataset& unstandardized(const Dataset& data) noexcept {
  if (const auto* made = dynamic_cast<const StandardizedDataset*>(&data)) return made->stored();
  const auto* blocks = dynamic_cast<const StandardizedBlocks*>(&data);
  return blocks == nullptr ? data : blocks->stored();
}

}  // namespace millrace
