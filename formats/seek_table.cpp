#include "formats/seek_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <iterator>
#include <stdexcept>
#include <string_view>

#include "formats/codec.h"
#include "formats/error.h"
#include "formats/little_endian.h"

namespace millrace {
namespace {

constexpr unsigned kChecksumFlag = 0x80;
constexpr unsigned kReservedBits = 0x7c;
// Magic number, the smallest header and the smallest block; a skippable frame has 8.
constexpr std::uint32_t kSmallestFrame = 8;

std::size_t entry_bytes(bool has_checksums) { return has_checksums ? 12 : 8; }

[[noreturn]] void fail(const std::filesystem::path& path, std::uint64_t at,
                       std::string_view expected, std::string_view found) {
  throw DataError(path, fmt::format("broken seek table: byte {} of the compressed file: expected "
                                    "{}, found {}",
                                    at, expected, found));
}

}  // namespace

void SeekTable::add(std::uint32_t stored, std::uint32_t content, std::uint32_t checksum) {
  if (frames_.size() == kMostFrames) {
    throw std::length_error(fmt::format("a seek table holds at most {} frames", kMostFrames));
  }
  frames_.push_back({.stored_at = stored_size_,
                     .content_at = content_size_,
                     .stored = stored,
                     .content = content,
                     .checksum = has_checksums_ ? checksum : 0});
  stored_size_ += stored;
  content_size_ += content;
}

std::size_t SeekTable::frame_holding(std::uint64_t at) const noexcept {
  assert(at < content_size_);
  // The last frame that begins at or before `at`: frames without content begin where the next does.
  const auto next = std::ranges::upper_bound(frames_, at, {}, &SeekFrame::content_at);
  return static_cast<std::size_t>(std::distance(frames_.begin(), next)) - 1;
}

std::vector<std::byte> SeekTable::encode() const {
  const auto entry = entry_bytes(has_checksums_);
  std::vector<std::byte> bytes(kHeadBytes + frames_.size() * entry + kFootBytes);
  auto* at = bytes.data();
  const auto put = [&at](std::uint64_t value) {
    store_little_endian32(static_cast<std::uint32_t>(value), at);
    at += 4;
  };
  put(kSkippableMagic);
  put(bytes.size() - kHeadBytes);
  for (const auto& frame : frames_) {
    put(frame.stored);
    put(frame.content);
    if (has_checksums_) put(frame.checksum);
  }
  put(frames_.size());
  *at++ = static_cast<std::byte>(has_checksums_ ? kChecksumFlag : 0);
  put(kSeekableMagic);
  return bytes;
}

std::optional<SeekTable> read_seek_table(const std::filesystem::path& path,
                                         std::span<const std::byte> file) {
  if (file.size() < SeekTable::kHeadBytes + SeekTable::kFootBytes ||
      load_little_endian32(file.last(4).data()) != SeekTable::kSeekableMagic) {
    return std::nullopt;
  }
  const auto foot = file.last(SeekTable::kFootBytes);
  const auto foot_at = file.size() - SeekTable::kFootBytes;
  const std::uint64_t count = load_little_endian32(foot.data());
  const auto descriptor = std::to_integer<unsigned>(foot[4]);
  if ((descriptor & kReservedBits) != 0) {
    fail(path, foot_at + 4, "a descriptor whose reserved bits are 0",
         fmt::format("{:02x}", descriptor));
  }
  const bool has_checksums = (descriptor & kChecksumFlag) != 0;
  const auto entry = entry_bytes(has_checksums);
  const auto most =
      std::min<std::uint64_t>((foot_at - SeekTable::kHeadBytes) / entry, SeekTable::kMostFrames);
  if (count > most) {
    fail(path, foot_at, fmt::format("at most {} frames in a file of {} bytes", most, file.size()),
         fmt::format("{}", count));
  }
  const auto start = foot_at - SeekTable::kHeadBytes - static_cast<std::size_t>(count) * entry;
  const auto table = file.subspan(start);
  if (const auto magic = load_little_endian32(table.data()); magic != SeekTable::kSkippableMagic) {
    fail(path, start,
         fmt::format("the skippable frame {:08x} of {} frames", SeekTable::kSkippableMagic, count),
         fmt::format("{:08x}", magic));
  }
  if (const auto size = load_little_endian32(&table[4]);
      size != table.size() - SeekTable::kHeadBytes) {
    fail(path, start + 4, fmt::format("a table of {} bytes", table.size() - SeekTable::kHeadBytes),
         fmt::format("{}", size));
  }
  SeekTable found(has_checksums);
  auto at = start + SeekTable::kHeadBytes;
  for (std::uint64_t i = 0; i < count; ++i, at += entry) {
    const auto stored = load_little_endian32(&file[at]);
    const auto content = load_little_endian32(&file[at + 4]);
    const auto left = start - found.stored_size();
    if (stored < kSmallestFrame || stored > left) {
      fail(path, at,
           fmt::format("frame {} to have {} to {} bytes in the file", i, kSmallestFrame, left),
           fmt::format("{}", stored));
    }
    const auto bound = std::min<std::uint64_t>(stored * kHighestZstdRatio, SeekTable::kMostContent);
    if (content > bound) {
      fail(path, at + 4,
           fmt::format("at most {} bytes of content in frame {} of {} bytes", bound, i, stored),
           fmt::format("{}", content));
    }
    found.add(stored, content, has_checksums ? load_little_endian32(&file[at + 8]) : 0);
  }
  if (found.stored_size() != start) {
    fail(path, start,
         fmt::format("the table behind {} frames of {} bytes", count, found.stored_size()),
         fmt::format("it {} bytes later", start - found.stored_size()));
  }
  return found;
}

}  // namespace millrace
