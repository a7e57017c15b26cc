// Zstandard (RFC 8878) by libzstd: any number of frames, skippable ones among them.
#include <zstd.h>

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <new>
#include <string_view>

#include "formats/codec.h"
#include "formats/error.h"

namespace millrace {
namespace {

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const noexcept { ZSTD_freeDCtx(context); }
};

[[noreturn]] void fail(const std::filesystem::path& file, std::size_t at, std::string_view expected,
                       std::string_view found) {
  throw DataError(
      file, fmt::format("broken zstd: byte {} of the compressed file: expected {}, found {}", at,
                        expected, found));
}

struct Frame {
  std::size_t start = 0;
  std::size_t stored = 0;                // bytes in the file
  std::optional<std::uint64_t> content;  // bytes decoded, where the frame says it
};

bool is_skippable(std::span<const std::byte> in) {
  return (std::to_integer<unsigned>(in[0]) & 0xf0U) == 0x50 && in[1] == std::byte{0x2a} &&
         in[2] == std::byte{0x4d} && in[3] == std::byte{0x18};
}

/// Hops from block header to block header without decoding.
Frame frame_at(const std::filesystem::path& file, std::span<const std::byte> in,
               std::size_t start) {
  const auto rest = in.subspan(start);
  Frame frame{.start = start,
              .stored = ZSTD_findFrameCompressedSize(rest.data(), rest.size()),
              .content = {}};
  if (ZSTD_isError(frame.stored) != 0) {
    fail(file, start, start == 0 ? "a whole zstd frame" : "the end or another whole zstd frame",
         fmt::format("{} bytes that are not: {}", rest.size(), ZSTD_getErrorName(frame.stored)));
  }
  if (is_skippable(rest)) {
    frame.content = 0;
    return frame;
  }
  const auto content = ZSTD_getFrameContentSize(rest.data(), rest.size());
  if (content == ZSTD_CONTENTSIZE_ERROR) fail(file, start, "a zstd frame header", "something else");
  if (content != ZSTD_CONTENTSIZE_UNKNOWN) frame.content = content;
  return frame;
}

std::uint64_t ratio_bound(std::size_t stored) {
  return std::min<std::uint64_t>(stored,
                                 std::numeric_limits<std::uint64_t>::max() / kHighestZstdRatio) *
         kHighestZstdRatio;
}

std::uint64_t add_saturated(std::uint64_t a, std::uint64_t b) {
  return a > std::numeric_limits<std::uint64_t>::max() - b
             ? std::numeric_limits<std::uint64_t>::max()
             : a + b;
}

/// Decodes one frame piece by piece; for frames that do not say their size, or do not fit.
Decoded stream_frame(const std::filesystem::path& file, ZSTD_DCtx* context, const Frame& frame,
                     std::span<const std::byte> in, std::span<std::byte> out) {
  ZSTD_DCtx_reset(context, ZSTD_reset_session_only);
  ZSTD_inBuffer from{in.data(), in.size(), 0};
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  std::byte probe{};  // one byte past the end tells "full" from "exactly fits"
  for (;;) {
    const bool full = to.pos == out.size();
    ZSTD_outBuffer past{&probe, 1, 0};
    auto& target = full ? past : to;
    const auto before = from.pos;
    const auto before_out = target.pos;
    const auto left = ZSTD_decompressStream(context, &target, &from);
    if (ZSTD_isError(left) != 0) {
      fail(file, frame.start, "a sound zstd frame", ZSTD_getErrorName(left));
    }
    if (past.pos != 0) return {.written = out.size(), .more = true};
    if (left == 0) return {.written = to.pos, .more = false};
    if (from.pos == before && target.pos == before_out && from.pos == in.size()) {
      fail(file, frame.start, "a sound zstd frame", "one that is cut short");
    }
  }
}

}  // namespace

ContentSize zstd_content_size(const std::filesystem::path& file, std::span<const std::byte> in) {
  ContentSize size{.exact = 0, .most = 0, .guess = 0};
  for (std::size_t at = 0; at < in.size();) {
    const auto frame = frame_at(file, in, at);
    const auto bound = ratio_bound(frame.stored);
    if (frame.content && *frame.content > bound) {
      fail(file, at, fmt::format("at most {} bytes from a zstd frame of {}", bound, frame.stored),
           fmt::format("a header that says {}", *frame.content));
    }
    if (frame.content && size.exact) {
      size.exact = add_saturated(*size.exact, *frame.content);
    } else {
      size.exact.reset();
    }
    size.most = add_saturated(size.most, frame.content.value_or(bound));
    // Typical of data that was worth compressing.
    size.guess = add_saturated(size.guess, frame.content.value_or(std::uint64_t{4} * frame.stored));
    at += frame.stored;
  }
  size.guess = std::min(size.guess, size.most);
  return size;
}

Decoded zstd_decode(const std::filesystem::path& file, std::span<const std::byte> in,
                    std::span<std::byte> out) {
  const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
  if (!context) throw std::bad_alloc();
  Decoded decoded;
  for (std::size_t at = 0; at < in.size();) {
    const auto frame = frame_at(file, in, at);
    at += frame.stored;
    const auto stored = in.subspan(frame.start, frame.stored);
    if (is_skippable(stored)) continue;
    const auto rest = out.subspan(decoded.written);
    if (frame.content && *frame.content <= rest.size()) {
      // In one go, straight into place: no window buffer, so any window size will do.
      const auto written =
          ZSTD_decompressDCtx(context.get(), rest.data(), static_cast<std::size_t>(*frame.content),
                              stored.data(), stored.size());
      if (ZSTD_isError(written) != 0) {
        fail(file, frame.start, "a sound zstd frame", ZSTD_getErrorName(written));
      }
      decoded.written += written;
      continue;
    }
    const auto part = stream_frame(file, context.get(), frame, stored, rest);
    decoded.written += part.written;
    if (part.more) return {.written = decoded.written, .more = true};
  }
  return decoded;
}

}  // namespace millrace
