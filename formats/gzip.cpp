// gzip (RFC 1952) by libdeflate. The member's frame is parsed here, so that each thing that can be
// wrong with it gets its own message; libdeflate's own gzip call has one error for all.
#include <fmt/format.h>
#include <libdeflate.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <new>
#include <string_view>

#include "formats/codec.h"
#include "formats/error.h"
#include "formats/little_endian.h"

namespace millrace {
namespace {

// Smallest member: header 10, deflate stream 2, trailer 8.
constexpr std::size_t kHeaderBytes = 10;
constexpr std::size_t kTrailerBytes = 8;
constexpr std::size_t kSmallestMember = kHeaderBytes + 2 + kTrailerBytes;

constexpr unsigned kHeaderCrc = 2;
constexpr unsigned kExtraField = 4;
constexpr unsigned kFileName = 8;
constexpr unsigned kComment = 16;
constexpr unsigned kReserved = 0xe0;

struct FreeDecompressor {
  void operator()(libdeflate_decompressor* d) const noexcept { libdeflate_free_decompressor(d); }
};
using Decompressor = std::unique_ptr<libdeflate_decompressor, FreeDecompressor>;

[[noreturn]] void fail(const std::filesystem::path& file, std::size_t at, std::string_view expected,
                       std::string_view found) {
  throw DataError(
      file, fmt::format("broken gzip: byte {} of the compressed file: expected {}, found {}", at,
                        expected, found));
}

/// Walks over a member's header; throws where the file ends inside it.
class Header {
 public:
  Header(const std::filesystem::path& file, std::span<const std::byte> in, std::size_t start)
      : file_(file), in_(in), start_(start), at_(start) {}

  /// Position of the deflate stream.
  std::size_t parse() {
    const auto rest = in_.size() - at_;
    if (rest < 2 || load_little_endian16(&in_[at_]) != 0x8b1f) {
      fail(file_, at_,
           start_ == 0 ? "a gzip member" : "the end, zeros up to it or another gzip member",
           fmt::format("{} bytes that begin with {:02x} instead of 1f 8b", rest, byte(0)));
    }
    need(kHeaderBytes);
    if (byte(2) != 8) fail(file_, at_ + 2, "compression method 8", fmt::format("{}", byte(2)));
    const auto flags = byte(3);
    if ((flags & kReserved) != 0)
      fail(file_, at_ + 3, "no reserved flag", fmt::format("{:#04x}", flags));
    at_ += kHeaderBytes;
    if ((flags & kExtraField) != 0) {
      need(2);
      const auto length = load_little_endian16(&in_[at_]);
      at_ += 2;
      need(length);
      at_ += length;
    }
    if ((flags & kFileName) != 0) skip_string();
    if ((flags & kComment) != 0) skip_string();
    if ((flags & kHeaderCrc) != 0) {
      need(2);
      const auto stored = load_little_endian16(&in_[at_]);
      const auto computed = libdeflate_crc32(0, &in_[start_], at_ - start_) & 0xffff;
      if (stored != computed) {
        fail(file_, at_, fmt::format("header CRC {:#06x}", computed),
             fmt::format("{:#06x}", stored));
      }
      at_ += 2;
    }
    return at_;
  }

 private:
  unsigned byte(std::size_t i) const { return std::to_integer<unsigned>(in_[at_ + i]); }

  void need(std::size_t count) const {
    if (in_.size() - at_ < count)
      fail(file_, in_.size(), "the rest of a gzip header", "the end of the file");
  }

  void skip_string() {
    const auto rest = in_.subspan(at_);
    const auto end = std::find(rest.begin(), rest.end(), std::byte{0});
    if (end == rest.end()) need(rest.size() + 1);
    at_ += static_cast<std::size_t>(end - rest.begin()) + 1;
  }

  const std::filesystem::path& file_;
  std::span<const std::byte> in_;
  std::size_t start_;
  std::size_t at_;
};

/// What is behind the last member where a file was filled up to whole blocks, as for tapes.
bool is_padding(std::span<const std::byte> rest) {
  return std::ranges::all_of(rest, [](std::byte b) { return b == std::byte{0}; });
}

/// Checks the eight bytes behind a deflate stream against what was decoded from it.
void check_trailer(const std::filesystem::path& file, std::span<const std::byte> in, std::size_t at,
                   std::span<const std::byte> content) {
  if (in.size() - at < kTrailerBytes) {
    fail(file, in.size(), "the rest of a gzip trailer (CRC-32 and size)", "the end of the file");
  }
  const auto stored = load_little_endian32(&in[at]);
  const auto computed = libdeflate_crc32(0, content.data(), content.size());
  if (stored != computed) {
    fail(file, at, fmt::format("CRC-32 {:08x} of the decoded content", computed),
         fmt::format("{:08x}", stored));
  }
  const auto size = load_little_endian32(&in[at + 4]);
  const auto actual =
      static_cast<std::uint32_t>(content.size());  // modulo 2^32, as RFC 1952 has it
  if (size != actual) {
    fail(file, at + 4, fmt::format("a decoded size of {} bytes", actual), fmt::format("{}", size));
  }
}

}  // namespace

ContentSize gzip_content_size(const std::filesystem::path& file, std::span<const std::byte> in) {
  if (in.size() < kSmallestMember) {
    fail(file, in.size(), "a gzip member of at least 20 bytes", "the end of the file");
  }
  ContentSize size;
  const auto ratio_bound = std::numeric_limits<std::uint64_t>::max() / kHighestDeflateRatio;
  size.most = std::min<std::uint64_t>(in.size(), ratio_bound) * kHighestDeflateRatio;
  // Right for a single member below 4 GiB, which nearly all files are; a hint for the others.
  size.guess = std::min<std::uint64_t>(load_little_endian32(&in[in.size() - 4]), size.most);
  return size;
}

Decoded gzip_decode(const std::filesystem::path& file, std::span<const std::byte> in,
                    std::span<std::byte> out) {
  const Decompressor decompressor(libdeflate_alloc_decompressor());
  if (!decompressor) throw std::bad_alloc();
  Decoded decoded;
  std::size_t at = 0;
  do {
    const std::size_t stream = Header(file, in, at).parse();
    const auto rest = out.subspan(decoded.written);
    std::size_t in_used = 0;
    std::size_t out_used = 0;
    const auto result =
        libdeflate_deflate_decompress_ex(decompressor.get(), in.data() + stream, in.size() - stream,
                                         rest.data(), rest.size(), &in_used, &out_used);
    if (result == LIBDEFLATE_INSUFFICIENT_SPACE) {
      decoded.more = true;
      return decoded;
    }
    if (result != LIBDEFLATE_SUCCESS) {
      throw DataError(
          file, fmt::format("broken gzip: byte {} of the compressed file: expected a whole deflate "
                            "stream, found one that is corrupt or cut short at byte {}",
                            stream, in.size()));
    }
    at = stream + in_used;
    check_trailer(file, in, at, rest.first(out_used));
    at += kTrailerBytes;
    decoded.written += out_used;
  } while (!is_padding(in.subspan(at)));
  return decoded;
}

}  // namespace millrace
