#include "formats/made_dataset.h"

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <vector>

#include "formats/block_dataset.h"
#include "formats/idx_pair.h"

namespace millrace {
namespace {

constexpr std::size_t kStoredAtOnce = std::size_t{256} << 10U;  // bytes

class MadeBlocks final : public ForwardingDataset<BlockDataset, MadeDataset> {
 public:
  /// Precondition: made->stored() is in blocks.
  explicit MadeBlocks(std::shared_ptr<const MadeDataset> made)
      : ForwardingDataset(std::move(made)),
        stored_(dynamic_cast<const BlockDataset&>(of().stored())) {}

  const MadeDataset& made() const noexcept { return of(); }
  const ColumnNames& column_names() const noexcept override { return of().column_names(); }
  void read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
            std::span<std::int32_t> labels) const override {
    of().read(ids, samples, labels);
  }

  std::span<const Block> blocks() const noexcept override { return stored_.blocks(); }
  std::span<const std::int32_t> labels() const noexcept override { return stored_.labels(); }
  void expect_block(std::size_t index) const noexcept override { stored_.expect_block(index); }
  using BlockDataset::decode_block;
  void decode_block(std::size_t index, std::span<std::byte> samples) const override {
    if (index >= blocks().size()) throw std::out_of_range(name() + ": no such block");
    const auto count = blocks()[index].count;
    check_room(count, samples);
    std::vector<std::byte> stored(static_cast<std::size_t>(count * stored_.sample_bytes()));
    stored_.decode_block(index, stored);
    of().make(stored, samples);
  }

 private:
  const BlockDataset& stored_;  // which of() keeps
};

}  // namespace

std::string MadeDataset::hash() const {
  const std::scoped_lock lock(hash_mutex_);
  if (hash_.empty()) hash_ = hash_by_reading(*this);
  return hash_;
}

void MadeDataset::read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
                       std::span<std::int32_t> labels) const {
  check_read(*this, ids, samples, labels);
  const auto bytes = static_cast<std::size_t>(sample_bytes());
  const auto stored_bytes = static_cast<std::size_t>(of().sample_bytes());
  const auto at_once = std::clamp<std::size_t>(kStoredAtOnce / stored_bytes, 1,
                                               std::max<std::size_t>(1, ids.size()));
  const std::size_t words = label_words();
  std::vector<std::byte> stored(at_once * stored_bytes);
  for (std::size_t first = 0; first < ids.size(); first += at_once) {
    const auto count = std::min(at_once, ids.size() - first);
    const auto some = std::span(stored).first(count * stored_bytes);
    of().read(ids.subspan(first, count), some, labels.subspan(first * words, count * words));
    make(some, samples.subspan(first * bytes, count * bytes));
  }
}

std::shared_ptr<const Dataset> in_stored_blocks(std::shared_ptr<const MadeDataset> made) {
  if (dynamic_cast<const BlockDataset*>(&made->stored()) == nullptr) return made;
  return std::make_shared<const MadeBlocks>(std::move(made));
}

const MadeDataset* as_made(const Dataset& data) noexcept {
  if (const auto* blocks = dynamic_cast<const MadeBlocks*>(&data)) return &blocks->made();
  return dynamic_cast<const MadeDataset*>(&data);
}

}  // namespace millrace
