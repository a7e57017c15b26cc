#include "loader/window_stage.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include "compute/stage.h"
#include "formats/bytes.h"
#include "formats/error.h"
#include "formats/kept_error.h"
#include "loader/gather.h"
#include "loader/readable.h"

namespace millrace {
namespace {

/// Room for `size` bytes; what was there is lost if there was less.
void reserve(Bytes& bytes, std::uint64_t size) {
  if (bytes.size() >= size) return;
  bytes = {};
  bytes = Bytes::allocate(static_cast<std::size_t>(size));
}

}  // namespace

// The fields up to `samples` are fixed while it is open; mutex_ guards the rest, but for the
// samples of a block, which belong to who decodes it.
struct WindowStage::Window {
  struct Broken {
    std::uint64_t member = 0;  // of the window, before they are mixed
    BadSample sample;
  };

  std::uint64_t turn = 0;
  bool open = false;
  std::vector<std::uint64_t> blocks;
  std::vector<std::uint64_t> first_member;  // of each block
  Permutation mixing;
  Bytes samples;                     // [members] padded rows, in the order of the epoch
  std::vector<std::int32_t> labels;  // [members, label_words], in that order, as ids
  std::vector<std::uint64_t> ids;
  std::size_t claimed = 0;    // blocks
  std::size_t decoded = 0;    // blocks
  std::uint64_t untaken = 0;  // samples
  // Of each block the samples that could not be decoded, where it goes on, ascending.
  std::vector<std::vector<Broken>> broken;
  bool damaged = false;      // whether there are some
  KeptError error;           // of the first block that could not be decoded, where it does not
  std::size_t error_at = 0;  // its index

  bool ready() const noexcept { return open && decoded == blocks.size(); }
};

// What one thread needs to decode a block; kept, so that its pages are.
struct WindowStage::Scratch {
  Bytes samples;                      // of the whole block
  std::vector<std::uint64_t> rows;    // of its members there
  std::vector<std::uint64_t> places;  // of its members in the window's order
};

WindowStage::WindowStage(std::shared_ptr<const BlockDataset> data, const Subset& subset,
                         const StreamOrder::Options& options, const RankShare& share,
                         const Start& start, std::function<void()> wake)
    : data_(std::move(data)),
      order_(data_->blocks(), subset, options),
      share_(share),
      start_(start),
      wake_(std::move(wake)),
      buffers_(2) {
  if (start_.epoch >= start_.epochs) return;
  const auto first = epoch_of(start_.epoch, opened_);
  windows_ = first->windows();
  first_window_ = first->place(start_.position).window;
}

WindowStage::~WindowStage() = default;

WindowStage::EpochPtr WindowStage::epoch_of(std::uint64_t number, EpochPtr& cached) const {
  if (!cached || cached->number() != number) {
    cached = std::make_shared<const StreamOrder::Epoch>(order_.epoch(number));
  }
  return cached;
}

void WindowStage::plan(std::uint64_t epoch, std::uint64_t position, Places places,
                       std::uint32_t most, std::vector<Piece>& pieces) {
  const auto windows = epoch_of(epoch, planned_);
  auto [window, offset] = windows->place(position);
  while (places.count != 0) {
    const auto left = windows->size(window) - offset;
    const auto take =
        static_cast<std::uint32_t>(std::min<std::uint64_t>({left, places.count, most}));
    pieces.push_back(
        {(epoch - start_.epoch) * windows_ + window - first_window_, offset, places.first, take});
    places = {places.first + take, places.count - take};
    offset += take;
    if (take == left) {
      ++window;
      offset = 0;
    }
  }
}

bool WindowStage::ready(std::uint64_t turn) const {
  const std::lock_guard lock(mutex_);
  const Window& window = buffers_[turn % buffers_.size()];
  return window.turn == turn && window.ready();
}

WindowStage::Run WindowStage::run(std::uint64_t turn, std::uint64_t offset,
                                  std::uint64_t count) const {
  const Window& window = buffers_[turn % buffers_.size()];
  if (window.error) window.error.raise();
  const auto stride = padded_row(static_cast<std::size_t>(data_->sample_bytes()));
  const std::size_t words = data_->label_words();
  return {{window.samples.view().subspan(offset * stride, count * stride),
           std::span(window.labels).subspan(offset * words, count * words)},
          std::span(window.ids).subspan(offset, count)};
}

bool WindowStage::damaged(std::uint64_t turn) const {
  return buffers_[turn % buffers_.size()].damaged;
}

const BadSample* WindowStage::fault(std::uint64_t turn, std::uint64_t offset) const {
  const Window& window = buffers_[turn % buffers_.size()];
  const std::uint64_t member = window.mixing.size() == 0 ? offset : window.mixing(offset);
  const auto after = std::ranges::upper_bound(window.first_member, member);
  const auto index =
      static_cast<std::size_t>(std::distance(window.first_member.begin(), after)) - 1;
  const auto& broken = window.broken[index];
  const auto found = std::ranges::lower_bound(broken, member, {}, &Window::Broken::member);
  return found == broken.end() || found->member != member ? nullptr : &found->sample;
}

std::uint64_t WindowStage::size(std::uint64_t turn) const {
  return buffers_[turn % buffers_.size()].ids.size();
}

void WindowStage::taken(std::uint64_t turn, std::uint64_t count) {
  {
    const std::lock_guard lock(mutex_);
    Window& window = buffers_[turn % buffers_.size()];
    window.untaken -= count;
    if (window.untaken != 0) return;
    window.open = false;
  }
  wake_();
}

// Samples of a window that will be taken.
std::uint64_t WindowStage::to_take(const StreamOrder::Epoch& epoch, std::uint64_t window) const {
  const auto end = epoch.start(window) + epoch.size(window);
  auto from = epoch.start(window);
  if (epoch.number() == start_.epoch) from = std::clamp(start_.position, from, end);
  return share_.among(end) - share_.among(from);
}

// Under mutex_: lays out the next window of which samples will be taken, if there is a buffer for
// it. What nobody takes anything of would keep its buffer for ever.
bool WindowStage::open_next() {
  for (;; ++next_turn_) {
    Window& window = buffers_[next_turn_ % buffers_.size()];
    if (windows_ == 0 || window.open) return false;
    const auto place = first_window_ + next_turn_;
    if (place / windows_ >= start_.epochs - start_.epoch) return false;
    const auto epoch = epoch_of(start_.epoch + place / windows_, opened_);
    window.untaken = to_take(*epoch, place % windows_);
    if (window.untaken == 0) continue;
    lay_out(window, *epoch, place % windows_);
    window.turn = next_turn_++;
    window.open = true;
    return true;
  }
}

void WindowStage::lay_out(Window& window, const StreamOrder::Epoch& epoch,
                          std::uint64_t number) const {
  window.blocks = order_.blocks(epoch, number);
  window.mixing = order_.mixing(epoch, number);
  window.first_member.clear();
  std::uint64_t members = 0;
  for (const auto block : window.blocks) {
    window.first_member.push_back(members);
    members += order_.size(block);
    data_->expect_block(block);
  }
  reserve(window.samples, members * padded_row(static_cast<std::size_t>(data_->sample_bytes())));
  window.labels.resize(members * data_->label_words());
  window.ids.resize(members);
  window.claimed = 0;
  window.decoded = 0;
  window.broken.assign(window.blocks.size(), {});
  window.damaged = false;
  window.error = {};
}

void WindowStage::decode(Window& window, std::size_t index, Scratch& scratch) const {
  const StageSpan span(Stage::kDecode);
  const auto number = window.blocks[index];
  const auto& block = data_->blocks()[number];
  const auto bytes = static_cast<std::size_t>(data_->sample_bytes());
  const auto members = order_.members(number);
  const auto labels = data_->labels();
  const std::size_t words = data_->label_words();
  scratch.rows.resize(members.size());
  scratch.places.resize(members.size());
  std::iota(scratch.places.begin(), scratch.places.end(), window.first_member[index]);
  if (window.mixing.size() != 0) window.mixing.invert(scratch.places);
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto place = scratch.places[i];
    window.ids[place] = members[i];
    std::copy_n(labels.data() + members[i] * words, words, window.labels.data() + place * words);
    scratch.rows[i] = members[i] - block.first;
  }
  reserve(scratch.samples, block.count * bytes);
  const auto decoded = scratch.samples.writable().first(block.count * bytes);
  try {
    data_->decode_block(number, decoded);
  } catch (const DataError&) {
    if (!start_.goes_on) throw;
    decode_readable(window, index, scratch, decoded);
  }
  scatter_rows(decoded, bytes, scratch.rows, scratch.places, window.samples.writable());
}

// One by one, for its neighbours may be sound: they are where a block is a run of files.
void WindowStage::decode_readable(Window& window, std::size_t index, Scratch& scratch,
                                  std::span<std::byte> samples) const {
  const auto number = window.blocks[index];
  const auto bytes = static_cast<std::size_t>(data_->sample_bytes());
  const auto members = order_.members(number);
  std::vector<std::int32_t> label(data_->label_words());  // is known
  for (std::size_t i = 0; i < members.size(); ++i) {
    auto bad = read_one(*data_, members[i], samples.subspan(scratch.rows[i] * bytes, bytes), label);
    if (bad) window.broken[index].push_back({window.first_member[index] + i, std::move(*bad)});
  }
}

bool WindowStage::decode_one() {
  Window* window = nullptr;
  std::size_t index = 0;
  bool more = false;
  {
    const std::lock_guard lock(mutex_);
    // The older of the two first.
    for (auto turn = next_turn_ < buffers_.size() ? 0 : next_turn_ - buffers_.size(); !window;
         ++turn) {
      if (turn == next_turn_ && !open_next()) return false;
      Window& candidate = buffers_[turn % buffers_.size()];
      if (candidate.open && candidate.claimed < candidate.blocks.size()) window = &candidate;
    }
    index = window->claimed++;
    more = window->claimed < window->blocks.size();
  }
  if (more) wake_();
  KeptError error;
  try {
    const Pool<Scratch>::Lease scratch(scratch_);
    decode(*window, index, *scratch);
  } catch (...) {
    error = KeptError::current();
  }
  bool whole = false;
  {
    const std::lock_guard lock(mutex_);
    if (error && (!window->error || index < window->error_at)) {
      window->error = error;
      window->error_at = index;
    }
    window->damaged = window->damaged || !window->broken[index].empty();
    whole = ++window->decoded == window->blocks.size();
  }
  if (whole) wake_();
  return true;
}

std::uint64_t blocks_of_window(const BlockDataset& data, std::uint64_t bytes) {
  // A sample's label and its number. The order of an epoch depends on this sum.
  const std::uint64_t beside = 12 + sizeof(std::int32_t) * data.label_words();
  return std::max<std::uint64_t>(1,
                                 bytes / (data.largest_block() * (data.sample_bytes() + beside)));
}

}  // namespace millrace
