#include "formats/random_content.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include "formats/compression.h"
#include "formats/seekable_zstd.h"

namespace millrace {
namespace {

/// The table of a file that can stay compressed.
std::optional<SeekTable> table_of(const std::filesystem::path& path,
                                  std::span<const std::byte> file) {
  if (compression_of(file) != Compression::kZstd) return std::nullopt;
  auto table = read_seek_table(path, file);
  const auto too_large = [](const SeekFrame& frame) {
    return frame.content > RandomContent::kMostFrame;
  };
  if (table && std::ranges::any_of(table->frames(), too_large)) return std::nullopt;
  return table;
}

}  // namespace

/// A decoder, and the frames that it decoded last.
class RandomContent::Frames {
 public:
  std::span<const std::byte> bytes(const RandomContent& content, std::uint64_t at,
                                   std::size_t count) {
    const auto& table = *content.table_;
    auto index = table.frame_holding(at);
    const auto within = [&](std::size_t frame) {
      return static_cast<std::size_t>(at - table.frames()[frame].content_at);
    };
    const auto first = frame(content, index).subspan(within(index));
    if (first.size() >= count) return first.first(count);
    joined_.assign(first.begin(), first.end());
    while (joined_.size() < count) {
      const auto next = frame(content, ++index);
      const auto part = next.first(std::min(next.size(), count - joined_.size()));
      joined_.insert(joined_.end(), part.begin(), part.end());
    }
    return joined_;
  }

 private:
  struct Cached {
    std::size_t index = 0;
    std::uint64_t used = 0;        // 0: holds nothing
    std::vector<std::byte> bytes;  // of a frame, or room for one
  };

  std::span<const std::byte> frame(const RandomContent& content, std::size_t index) {
    for (auto& cached : cache_) {
      if (cached.used == 0 || cached.index != index) continue;
      cached.used = ++clock_;
      return cached.bytes;
    }
    auto& slot = *std::ranges::min_element(cache_, {}, &Cached::used);
    slot.used = 0;
    const SeekableView view{
        .path = content.path_, .file = content.file_.bytes(), .table = *content.table_};
    slot.bytes.resize(content.table_->frames()[index].content);
    decoder_.decode(view, index, slot.bytes);
    const auto stored = view.stored(index);
    // Else a pass over a file that is larger than memory would fill it with the file.
    content.file_.forget(static_cast<std::size_t>(stored.data() - view.file.data()), stored.size());
    slot.index = index;
    slot.used = ++clock_;
    return slot.bytes;
  }

  FrameDecoder decoder_;
  // Two: what lies on the border of two frames is read piece by piece.
  std::array<Cached, 2> cache_;
  std::vector<std::byte> joined_;
  std::uint64_t clock_ = 0;
};

std::optional<std::uint64_t> RandomContent::seekable_size(const std::filesystem::path& path) {
  const MappedFile file(path);
  const auto table = table_of(path, file.bytes());
  return table ? std::optional(table->content_size()) : std::nullopt;
}

RandomContent::RandomContent(std::filesystem::path path, bool by_frames) : path_(std::move(path)) {
  if (by_frames) {
    file_ = MappedFile(path_);
    table_ = table_of(path_, file_.bytes());
  }
  if (!table_) {
    file_ = {};
    whole_ = read_content(path_);
  }
}

RandomContent::~RandomContent() = default;

void RandomContent::expect(std::uint64_t at, std::uint64_t count) const noexcept {
  if (!table_) return whole_.expect(static_cast<std::size_t>(at), static_cast<std::size_t>(count));
  if (at >= size() || count == 0) return;
  const auto frames = table_->frames();
  const auto& first = frames[table_->frame_holding(at)];
  const auto& last = frames[table_->frame_holding(std::min(at + count, size()) - 1)];
  file_.expect(static_cast<std::size_t>(first.stored_at),
               static_cast<std::size_t>(last.stored_at - first.stored_at) + last.stored);
}

void RandomContent::forget(std::uint64_t at, std::uint64_t count) const noexcept {
  if (!table_) whole_.forget(static_cast<std::size_t>(at), static_cast<std::size_t>(count));
}

ContentReader::ContentReader(std::span<const std::byte> content) noexcept : memory_(content) {}

ContentReader::ContentReader(const RandomContent& content) : content_(&content) {
  if (content.by_frames()) {
    frames_.emplace(content.frames_);
  } else {
    memory_ = content.whole_.view();
  }
}

ContentReader::~ContentReader() = default;

std::span<const std::byte> ContentReader::bytes(std::uint64_t at, std::size_t count) {
  if (at > size() || count > size() - at) {
    throw std::out_of_range(
        fmt::format("bytes {} to {} of a content of {}", at, at + count, size()));
  }
  if (count == 0) return {};
  if (!frames_) return memory_.subspan(static_cast<std::size_t>(at), count);
  return (*frames_)->bytes(*content_, at, count);
}

}  // namespace millrace
