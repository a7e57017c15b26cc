#include "formats/compression.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

#include "formats/error.h"
#include "formats/seekable_zstd.h"

namespace millrace {
namespace {

template <std::size_t N>
bool starts_with(std::span<const std::byte> bytes, const std::array<unsigned char, N>& magic) {
  return bytes.size() >= N && std::memcmp(bytes.data(), magic.data(), N) == 0;
}

std::size_t checked_size(const std::filesystem::path& path, std::uint64_t size) {
  if (std::cmp_greater(size, std::numeric_limits<std::ptrdiff_t>::max())) {
    throw DataError(path, fmt::format("its {} bytes are more than this machine can address", size));
  }
  return static_cast<std::size_t>(size);
}

Bytes allocate(const std::filesystem::path& path, std::uint64_t size, std::size_t aligned_at) {
  try {
    return Bytes::allocate(checked_size(path, size), aligned_at);
  } catch (const std::bad_alloc&) {
    throw DataError(path, fmt::format("no memory for its {} bytes of content", size));
  }
}

}  // namespace

std::string_view name_of(Compression compression) noexcept {
  switch (compression) {
    case Compression::kNone:
      return "none";
    case Compression::kGzip:
      return "gzip";
    case Compression::kZstd:
      return "zstd";
  }
  return "unknown";
}

Compression compression_of(std::span<const std::byte> first_bytes) noexcept {
  if (starts_with<2>(first_bytes, {0x1f, 0x8b})) return Compression::kGzip;
  if (starts_with<4>(first_bytes, {0x28, 0xb5, 0x2f, 0xfd})) return Compression::kZstd;
  const bool skippable = first_bytes.size() >= 4 &&
                         (first_bytes[0] & std::byte{0xf0}) == std::byte{0x50} &&
                         starts_with<3>(first_bytes.subspan(1), {0x2a, 0x4d, 0x18});
  return skippable ? Compression::kZstd : Compression::kNone;
}

Compression compression_for(const std::filesystem::path& path) {
  const auto extension = path.extension();
  if (extension == ".gz") return Compression::kGzip;
  if (extension == ".zst") return Compression::kZstd;
  return Compression::kNone;
}

EncodedFile::EncodedFile(std::filesystem::path path)
    : path_(std::move(path)), file_(path_), compression_(compression_of(file_.bytes())) {
  switch (compression_) {
    case Compression::kNone:
      size_ = {.exact = file_.bytes().size(),
               .most = file_.bytes().size(),
               .guess = file_.bytes().size()};
      break;
    case Compression::kGzip:
      size_ = gzip_content_size(path_, file_.bytes());
      break;
    case Compression::kZstd:
      table_ = read_seek_table(path_, file_.bytes());
      // The table saves a walk through the whole file.
      size_ = table_ ? ContentSize{.exact = table_->content_size(),
                                   .most = table_->content_size(),
                                   .guess = table_->content_size()}
                     : zstd_content_size(path_, file_.bytes());
      break;
  }
}

std::vector<std::byte> EncodedFile::peek(std::size_t count) const {
  // Asked for much of a small file, it clears no memory that nothing can be decoded to.
  count = static_cast<std::size_t>(std::min<std::uint64_t>(count, size_.most));
  std::vector<std::byte> bytes(count + (compression_ == Compression::kNone ? 0 : kDecodeSlack));
  const auto decoded = decode(bytes);
  const auto there = decoded.more ? count : std::min<std::uint64_t>(count, decoded.written);
  bytes.resize(static_cast<std::size_t>(there));
  return bytes;
}

Decoded EncodedFile::decode(std::span<std::byte> out) const {
  switch (compression_) {
    case Compression::kNone:
      break;
    case Compression::kGzip:
      return gzip_decode(path_, file_.bytes(), out);
    case Compression::kZstd:
      if (!table_ || out.size() < table_->content_size()) {
        return zstd_decode(path_, file_.bytes(), out);
      }
      decode_frames({.path = path_, .file = file_.bytes(), .table = *table_},
                    out.first(static_cast<std::size_t>(table_->content_size())));
      return {.written = table_->content_size(), .more = false};
  }
  const auto count = std::min(out.size(), file_.bytes().size());
  if (count != 0) std::memcpy(out.data(), file_.bytes().data(), count);
  return {.written = count, .more = count < file_.bytes().size()};
}

Bytes EncodedFile::take(std::uint64_t size, std::string_view what, std::size_t aligned_at) && {
  const auto expected = fmt::format("{} bytes ({})", size, what);
  const auto too_short = [&](std::uint64_t found) {
    return DataError(path_, found, expected, "the end of the content");
  };
  const auto too_long = [&](const std::string& found) {
    return DataError(path_, size, fmt::format("the end of {}", what), found);
  };
  if (size_.exact && *size_.exact < size) throw too_short(*size_.exact);
  if (size_.exact && *size_.exact > size) {
    throw too_long(fmt::format("{} bytes more", *size_.exact - size));
  }
  if (size > size_.most) {
    throw DataError(path_, std::nullopt, expected,
                    fmt::format("a {} file of {} bytes, which can hold at most {}",
                                name_of(compression_), file_.bytes().size(), size_.most));
  }
  if (compression_ == Compression::kNone) return Bytes(std::move(file_));
  file_.expect_sequential();
  auto bytes = allocate(path_, size, aligned_at);
  const auto decoded = decode(bytes.writable());
  if (decoded.more) {
    // A truncated deflate stream may decode on for a few bytes: with more room it shows whether it
    // is one.
    bytes = {};
    bytes = allocate(path_, size + kDecodeSlack, 0);
    const auto all = decode(bytes.writable());
    throw too_long(all.more ? std::string("more")
                            : fmt::format("{} bytes more", all.written - size));
  }
  if (decoded.written < size) throw too_short(decoded.written);
  return bytes;
}

Bytes EncodedFile::take_all(std::uint64_t limit) && {
  const auto too_large = [&] {
    return DataError(path_, std::nullopt, fmt::format("at most {} bytes of content", limit),
                     "more");
  };
  if (size_.exact && *size_.exact > limit) throw too_large();
  if (compression_ == Compression::kNone) return Bytes(std::move(file_));
  file_.expect_sequential();
  const auto most = std::min(size_.most, limit);
  // Decoding anew into twice the room costs at most as much again as decoding once.
  for (auto room = std::min(std::max<std::uint64_t>(size_.guess, 1), most);;
       room = std::min(2 * room, most)) {
    auto bytes = allocate(path_, room, 0);
    const auto decoded = decode(bytes.writable());
    if (!decoded.more) {
      bytes.truncate(static_cast<std::size_t>(decoded.written));
      return bytes;
    }
    if (room == most) throw too_large();
  }
}

Bytes read_content(const std::filesystem::path& path) {
  constexpr std::uint64_t kMostRatio = 256;
  constexpr std::uint64_t kAlwaysTaken = std::uint64_t{256} << 20;
  EncodedFile file(path);
  const std::uint64_t most = file.compression() == Compression::kNone
                                 ? file.content_size().most
                                 : std::max(kAlwaysTaken, file.stored_size() * kMostRatio);
  return std::move(file).take_all(most);
}

}  // namespace millrace
