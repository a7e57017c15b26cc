#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>

// What the two codecs, gzip and zstd, have in common. Users want compression.h.

namespace millrace {

/// What came of decoding into a buffer of fixed size.
struct Decoded {
  std::uint64_t written = 0;  ///< bytes at the front of the buffer that are content
  bool more = false;          ///< content goes on past the buffer; `written` is then a lower bound
};

/// What a compressed file says of its size before anything is decoded.
struct ContentSize {
  std::optional<std::uint64_t> exact;
  std::uint64_t most = 0;   ///< no content of a file of that many bytes can be larger
  std::uint64_t guess = 0;  ///< likely size, at most `most`
};

/// Decoding stops early with `more` set when `out` is full, and what is behind is then neither
/// decoded nor checked. At least the first out.size() - kDecodeSlack bytes are there then.
inline constexpr std::size_t kDecodeSlack = std::size_t{64} << 10;

/// Bytes of content that a byte of a file can make at most. A deflate match makes up to 258 bytes
/// out of two 1-bit codes (RFC 1951): 258 * 8 / 2. The densest block of zstd is an RLE block: 3
/// bytes of header and 1 of content make up to 128 KiB.
inline constexpr std::uint64_t kHighestDeflateRatio = 1032;
inline constexpr std::uint64_t kHighestZstdRatio = (std::uint64_t{128} << 10) / 4;

/// `file` is for messages: DataError names it and the byte of the compressed file.
ContentSize gzip_content_size(const std::filesystem::path& file, std::span<const std::byte> in);
Decoded gzip_decode(const std::filesystem::path& file, std::span<const std::byte> in,
                    std::span<std::byte> out);

ContentSize zstd_content_size(const std::filesystem::path& file, std::span<const std::byte> in);
Decoded zstd_decode(const std::filesystem::path& file, std::span<const std::byte> in,
                    std::span<std::byte> out);

}  // namespace millrace
