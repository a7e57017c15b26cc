#include "formats/seekable_zstd.h"

#include <fmt/format.h>
#include <xxhash.h>
#include <zstd.h>

#include <algorithm>
#include <new>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "formats/error.h"
#include "formats/little_endian.h"
#include "formats/on_all_cores.h"

namespace millrace {
namespace {

constexpr std::uint32_t kFrameMagic = 0xFD2FB528;
constexpr unsigned kFrameChecksumFlag = 0x04;
// Fewer bytes are decoded before a second thread has started.
constexpr std::uint64_t kWorthThread = std::uint64_t{512} << 10;

[[noreturn]] void fail(const SeekableView& view, std::size_t index, std::string_view expected,
                       std::string_view found) {
  const auto& frame = view.table.frames()[index];
  throw DataError(view.path, frame.content_at,
                  fmt::format("broken frame {} (byte {} of the compressed file, bytes "
                              "{} to {} of the content): expected {}, found {}",
                              index, frame.stored_at, frame.content_at,
                              frame.content_at + frame.content, expected, found));
}

/// The checksum that zstd has just held the content against.
bool has_own_checksum(std::span<const std::byte> stored) {
  return stored.size() > 8 && load_little_endian32(stored.data()) == kFrameMagic &&
         (std::to_integer<unsigned>(stored[4]) & kFrameChecksumFlag) != 0;
}

}  // namespace

void FrameDecoder::Free::operator()(ZSTD_DCtx_s* context) const noexcept { ZSTD_freeDCtx(context); }

FrameDecoder::FrameDecoder() : context_(ZSTD_createDCtx()) {
  if (!context_) throw std::bad_alloc();
}

void FrameDecoder::decode(const SeekableView& view, std::size_t index, std::span<std::byte> out) {
  const auto& frame = view.table.frames().at(index);
  if (out.size() != frame.content) {
    throw std::invalid_argument(fmt::format("{}: room for {} bytes given for frame {} of {}",
                                            view.path.string(), out.size(), index, frame.content));
  }
  const auto stored = view.stored(index);
  const auto said = ZSTD_getFrameContentSize(stored.data(), stored.size());
  if (said == ZSTD_CONTENTSIZE_ERROR) fail(view, index, "a zstd frame", "something else");
  if (said != ZSTD_CONTENTSIZE_UNKNOWN && said > out.size()) {
    fail(view, index, fmt::format("{} bytes of content, as the seek table says", out.size()),
         fmt::format("a header that says {}", said));
  }
  const auto written =
      ZSTD_decompressDCtx(context_.get(), out.data(), out.size(), stored.data(), stored.size());
  if (ZSTD_isError(written) != 0) fail(view, index, "a sound one", ZSTD_getErrorName(written));
  if (written != out.size()) {
    fail(view, index, fmt::format("{} bytes of content, as the seek table says", out.size()),
         fmt::format("{}", written));
  }
  if (!view.table.has_checksums() || out.empty()) return;
  // zstd has computed the very same hash: it need not be computed again.
  if (has_own_checksum(stored) && load_little_endian32(stored.last(4).data()) == frame.checksum) {
    return;
  }
  if (const auto found = frame_checksum(out); found != frame.checksum) {
    fail(view, index, fmt::format("the checksum {:08x} of the seek table", frame.checksum),
         fmt::format("{:08x}", found));
  }
}

void decode_frames(const SeekableView& view, std::span<std::byte> out) {
  const auto& frames = view.table.frames();
  if (out.size() != view.table.content_size()) {
    throw std::invalid_argument(fmt::format("{}: room for {} bytes given for {}",
                                            view.path.string(), out.size(),
                                            view.table.content_size()));
  }
  const auto worth = static_cast<std::size_t>(view.table.content_size() / kWorthThread);
  on_all_cores(frames.size(), worth, [&] {
    return [&, decoder = FrameDecoder()](std::size_t i) mutable {
      const auto at = static_cast<std::size_t>(frames[i].content_at);
      decoder.decode(view, i, out.subspan(at, frames[i].content));
    };
  });
}

std::uint32_t frame_checksum(std::span<const std::byte> content) noexcept {
  return static_cast<std::uint32_t>(XXH64(content.data(), content.size(), 0));
}

unsigned thread_count(unsigned asked, std::uint64_t pieces) noexcept {
  const unsigned wanted = asked != 0 ? asked : std::max(1U, std::thread::hardware_concurrency());
  return static_cast<unsigned>(std::clamp<std::uint64_t>(pieces, 1, wanted));
}

}  // namespace millrace
