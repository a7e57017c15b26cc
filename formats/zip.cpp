#include "formats/zip.h"

#include <fmt/format.h>
#include <libdeflate.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <set>
#include <utility>

#include "formats/codec.h"
#include "formats/error.h"
#include "formats/in_quotes.h"
#include "formats/little_endian.h"

namespace millrace {
namespace {

constexpr std::uint32_t kEndSignature = 0x06054b50;
constexpr std::uint32_t kEnd64Signature = 0x06064b50;
constexpr std::uint32_t kLocatorSignature = 0x07064b50;
constexpr std::uint32_t kEntrySignature = 0x02014b50;
constexpr std::uint32_t kLocalSignature = 0x04034b50;
constexpr std::size_t kEndBytes = 22;
constexpr std::size_t kEnd64Bytes = 56;
constexpr std::size_t kLocatorBytes = 20;
constexpr std::size_t kEntryBytes = 46;
constexpr std::size_t kLocalBytes = 30;
constexpr std::size_t kLongestComment = 65'535;
constexpr std::uint16_t kZip64Field = 1;
constexpr std::uint32_t kIn64 = 0xffffffff;  // the number stands in a ZIP64 field
constexpr std::uint16_t kStored = 0;
constexpr std::uint16_t kDeflated = 8;

struct FreeDecompressor {
  void operator()(libdeflate_decompressor* d) const noexcept { libdeflate_free_decompressor(d); }
};

using Span = std::span<const std::byte>;

/// Where the directory lies.
struct Directory {
  std::uint64_t at = 0;
  std::uint64_t bytes = 0;
  std::uint64_t entries = 0;
};

class Parser {
 public:
  Parser(const std::filesystem::path& path, Span file) : path_(path), file_(file) {}

  std::vector<ZipMember> parse() const {
    const auto directory = find_directory();
    std::vector<ZipMember> members;
    std::set<std::string_view> names;
    auto at = directory.at;
    const auto end = directory.at + directory.bytes;
    for (std::uint64_t i = 0; i < directory.entries; ++i) {
      if (end - at < kEntryBytes || load_little_endian32(&file_[at]) != kEntrySignature) {
        fail(at, fmt::format("entry {} of {} of the zip directory", i + 1, directory.entries),
             end - at < kEntryBytes ? "its end" : "other bytes");
      }
      members.push_back(entry(at, end));
    }
    if (at != end) fail(at, "the end of the zip directory", fmt::format("{} bytes", end - at));
    for (const auto& member : members) {
      if (!names.insert(member.name).second) {
        fail(directory.at, "each zip member once", in_quotes(member.name) + " twice");
      }
    }
    return members;
  }

 private:
  [[noreturn]] void fail(std::uint64_t at, std::string_view expected,
                         std::string_view found) const {
    throw DataError(path_, at, expected, found);
  }

  Directory find_directory() const {
    const auto last = file_.size() < kEndBytes ? 0 : file_.size() - kEndBytes;
    const auto first = last - std::min(last, kLongestComment);
    if (file_.size() >= kEndBytes) {
      for (auto at = last;; --at) {
        if (load_little_endian32(&file_[at]) == kEndSignature &&
            load_little_endian16(&file_[at + 20]) == file_.size() - at - kEndBytes) {
          return checked(read_end(at), at);
        }
        if (at == first) break;
      }
    }
    fail(file_.size(), "the end record of a zip archive", "none: no zip archive, or cut short");
  }

  Directory read_end(std::size_t at) const {
    const Directory directory{.at = load_little_endian32(&file_[at + 16]),
                              .bytes = load_little_endian32(&file_[at + 12]),
                              .entries = load_little_endian16(&file_[at + 10])};
    if (at < kLocatorBytes ||
        load_little_endian32(&file_[at - kLocatorBytes]) != kLocatorSignature) {
      return directory;
    }
    const auto end64 = load_little_endian64(&file_[at - kLocatorBytes + 8]);
    if (end64 > at || at - end64 < kEnd64Bytes ||
        load_little_endian32(&file_[end64]) != kEnd64Signature) {
      fail(at - kLocatorBytes + 8, "the place of a ZIP64 end record", std::to_string(end64));
    }
    return {.at = load_little_endian64(&file_[end64 + 48]),
            .bytes = load_little_endian64(&file_[end64 + 40]),
            .entries = load_little_endian64(&file_[end64 + 32])};
  }

  /// `end`: of where a directory can lie.
  Directory checked(const Directory& directory, std::uint64_t end) const {
    if (directory.at > end || directory.bytes > end - directory.at) {
      fail(end, fmt::format("a zip directory in the {} bytes before it", end),
           fmt::format("one of {} bytes at {}", directory.bytes, directory.at));
    }
    return directory;
  }

  /// Moves `at` behind the entry.
  ZipMember entry(std::uint64_t& at, std::uint64_t end) const {
    const auto* const fields = &file_[at];
    const auto flags = load_little_endian16(fields + 8);
    const auto method = load_little_endian16(fields + 10);
    const std::size_t name_bytes = load_little_endian16(fields + 28);
    const std::size_t extra_bytes = load_little_endian16(fields + 30);
    const std::size_t comment_bytes = load_little_endian16(fields + 32);
    const auto here = at;
    at += kEntryBytes;
    if (end - at < name_bytes + extra_bytes + comment_bytes) {
      fail(here, "an entry within the zip directory", "one that is longer");
    }
    ZipMember member{
        .name = std::string(reinterpret_cast<const char*>(file_.data()) + at, name_bytes),
        .size = load_little_endian32(fields + 24),
        .deflated = method == kDeflated,
        .crc = load_little_endian32(fields + 16),
        .stored_at = load_little_endian32(fields + 42),
        .stored = load_little_endian32(fields + 20)};
    read_extra(file_.subspan(at + name_bytes, extra_bytes), here, member);
    at += name_bytes + extra_bytes + comment_bytes;
    const auto what = [&] { return "zip member " + in_quotes(member.name); };
    if ((flags & 1U) != 0) fail(here + 8, what() + " without encryption", "an encrypted one");
    if (method != kStored && method != kDeflated) {
      fail(here + 10, what() + " stored or deflated", fmt::format("method {}", method));
    }
    find_content(member, here);
    const auto most = member.deflated ? member.stored * kHighestDeflateRatio : member.stored;
    if (member.size > most || (!member.deflated && member.size != member.stored)) {
      fail(here + 24,
           fmt::format("at most {} bytes in {} of {} bytes", most, what(), member.stored),
           fmt::format("{}", member.size));
    }
    return member;
  }

  void read_extra(Span extra, std::uint64_t at, ZipMember& member) const {
    while (extra.size() >= 4) {
      const auto id = load_little_endian16(extra.data());
      const std::size_t bytes = load_little_endian16(extra.data() + 2);
      extra = extra.subspan(4);
      if (bytes > extra.size()) break;
      if (id == kZip64Field) {
        auto field = extra.first(bytes);
        for (auto* number : {&member.size, &member.stored, &member.stored_at}) {
          if (*number != kIn64) continue;
          if (field.size() < 8) fail(at, "a whole ZIP64 field", "one that is cut short");
          *number = load_little_endian64(field.data());
          field = field.subspan(8);
        }
      }
      extra = extra.subspan(bytes);
    }
  }

  /// By the member's own header: stored_at, which was the header's place, becomes the content's.
  void find_content(ZipMember& member, std::uint64_t entry_at) const {
    const auto at = member.stored_at;
    const auto fits = [&](std::uint64_t begin, std::uint64_t bytes) {
      return begin <= file_.size() && bytes <= file_.size() - begin;
    };
    if (!fits(at, kLocalBytes) || load_little_endian32(&file_[at]) != kLocalSignature) {
      fail(entry_at + 42, "the place of the header of zip member " + in_quotes(member.name),
           std::to_string(at));
    }
    const std::size_t name_bytes = load_little_endian16(&file_[at + 26]);
    const std::size_t extra_bytes = load_little_endian16(&file_[at + 28]);
    if (name_bytes != member.name.size() || !fits(at + kLocalBytes, name_bytes) ||
        std::memcmp(&file_[at + kLocalBytes], member.name.data(), name_bytes) != 0) {
      fail(at, "the header of zip member " + in_quotes(member.name), "that of another one");
    }
    member.stored_at = at + kLocalBytes + name_bytes + extra_bytes;
    if (!fits(member.stored_at, member.stored)) {
      fail(file_.size(),
           fmt::format("{} bytes of zip member {}", member.stored, in_quotes(member.name)),
           "the end of the file");
    }
  }

  const std::filesystem::path& path_;
  Span file_;
};

}  // namespace

ZipFile::ZipFile(const std::filesystem::path& path)
    : path_(path), file_(path), members_(Parser(path_, file_.bytes()).parse()) {}

const ZipMember* ZipFile::find(std::string_view name) const noexcept {
  const auto it = std::ranges::find(members_, name, &ZipMember::name);
  return it == members_.end() ? nullptr : &*it;
}

std::string ZipFile::name_of(const ZipMember& member) const {
  return name_within(path_.string(), member.name);
}

std::vector<std::byte> ZipFile::peek(const ZipMember& member, std::size_t count) const {
  if (member.size <= count + kDecodeSlack) {
    const auto all = read(member);
    const auto view = all.view().first(std::min(count, all.size()));
    return {view.begin(), view.end()};
  }
  const auto stored = file_.bytes().subspan(member.stored_at, member.stored);
  if (!member.deflated)
    return {stored.begin(), stored.begin() + static_cast<std::ptrdiff_t>(count)};
  const std::unique_ptr<libdeflate_decompressor, FreeDecompressor> decompressor(
      libdeflate_alloc_decompressor());
  if (!decompressor) throw std::bad_alloc();
  std::vector<std::byte> front(count + kDecodeSlack);
  std::size_t written = 0;
  const auto result = libdeflate_deflate_decompress(
      decompressor.get(), stored.data(), stored.size(), front.data(), front.size(), &written);
  // There is more than fits, unless the member is shorter than it says or broken: read() names it.
  if (result != LIBDEFLATE_INSUFFICIENT_SPACE) (void)read(member);
  front.resize(count);
  return front;
}

Bytes ZipFile::read(const ZipMember& member, std::size_t aligned_at) const {
  const auto name = name_of(member);
  if (std::cmp_greater(member.size, std::numeric_limits<std::ptrdiff_t>::max())) {
    throw DataError(
        name, fmt::format("its {} bytes are more than this machine can address", member.size));
  }
  Bytes bytes;
  try {
    bytes = Bytes::allocate(static_cast<std::size_t>(member.size), aligned_at);
  } catch (const std::bad_alloc&) {
    throw DataError(name, fmt::format("no memory for its {} bytes of content", member.size));
  }
  const auto out = bytes.writable();
  const auto stored = file_.bytes().subspan(member.stored_at, member.stored);
  if (!member.deflated) {
    if (!stored.empty()) std::memcpy(out.data(), stored.data(), stored.size());
  } else {
    const std::unique_ptr<libdeflate_decompressor, FreeDecompressor> decompressor(
        libdeflate_alloc_decompressor());
    if (!decompressor) throw std::bad_alloc();
    std::size_t used = 0;
    std::size_t written = 0;
    const auto result = libdeflate_deflate_decompress_ex(
        decompressor.get(), stored.data(), stored.size(), out.data(), out.size(), &used, &written);
    const auto expected = fmt::format("{} bytes, as the zip directory says", member.size);
    if (result == LIBDEFLATE_INSUFFICIENT_SPACE) {
      throw DataError(name, std::nullopt, expected, "more");
    }
    if (result != LIBDEFLATE_SUCCESS || used != stored.size()) {
      throw DataError(name, std::nullopt,
                      fmt::format("a whole deflate stream of {} bytes", stored.size()),
                      "one that is corrupt or cut short");
    }
    if (written != out.size()) {
      throw DataError(name, std::nullopt, expected, std::to_string(written));
    }
  }
  const auto crc = libdeflate_crc32(0, out.data(), out.size());
  if (crc != member.crc) {
    throw DataError(name, std::nullopt,
                    fmt::format("content of CRC-32 {:08x}, as the zip directory says", member.crc),
                    fmt::format("{:08x}", crc));
  }
  return bytes;
}

}  // namespace millrace
