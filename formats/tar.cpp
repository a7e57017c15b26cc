#include "formats/tar.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <stdexcept>
#include <string_view>

#include "formats/error.h"
#include "formats/in_quotes.h"
#include "formats/text.h"

namespace millrace {
namespace {

/// Where a field of the header block lies.
struct Field {
  std::string_view name;
  std::size_t at;
  std::size_t bytes;
};
constexpr Field kName{"name", 0, 100};
constexpr Field kMode{"mode", 100, 8};
constexpr Field kUser{"uid", 108, 8};
constexpr Field kGroup{"gid", 116, 8};
constexpr Field kSize{"size", 124, 12};
constexpr Field kTime{"mtime", 136, 12};
constexpr Field kChecksum{"checksum", 148, 8};
constexpr Field kType{"type", 156, 1};
constexpr Field kMagic{"magic", 257, 8};
constexpr Field kPrefix{"prefix", 345, 155};

constexpr std::string_view kPosixMagic{"ustar\00000", 8};
constexpr std::string_view kGnuMagic{"ustar  \0", 8};
constexpr char kGnuLongName = 'L';
constexpr char kGnuLongLink = 'K';
// GNU tar's own sparse files: whether a block more of the map of their holes follows, as the header
// and as such a block says it (https://www.gnu.org/software/tar/manual/html_node/Standard.html).
constexpr std::size_t kMapGoesOn = 482;
constexpr std::size_t kMapGoesOnFurther = 504;
constexpr char kPaxHeader = 'x';
constexpr char kPaxGlobal = 'g';
// Links, devices, folders and pipes, whose size, if any, is not that of a content.
constexpr std::string_view kWithoutContent = "123456";

using Block = std::span<const std::byte, kTarBlock>;

std::string_view field_text(Block block, const Field& field) {
  return text_of(block.subspan(field.at, field.bytes));
}

/// Up to the first NUL.
std::string_view field_string(Block block, const Field& field) {
  const auto text = field_text(block, field);
  return text.substr(0, text.find('\0'));
}

bool all_zero(std::span<const std::byte> bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

std::optional<std::uint64_t> octal(std::string_view text) {
  text = text.substr(0, text.find('\0'));
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return 0;
  text = text.substr(first, text.find_last_not_of(' ') + 1 - first);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 8);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Octal digits, or GNU's big-endian binary number behind a byte 0x80; nullopt for anything else.
std::optional<std::uint64_t> number(Block block, const Field& field) {
  const auto bytes = block.subspan(field.at, field.bytes);
  constexpr std::byte kBinary{0x80};
  if ((bytes[0] & kBinary) == std::byte{0}) return octal(text_of(bytes));
  auto value = std::to_integer<std::uint64_t>(bytes[0] & ~kBinary);
  for (const auto byte : bytes.subspan(1)) {
    if (value >> 55U != 0) return std::nullopt;
    value = (value << 8U) | std::to_integer<std::uint64_t>(byte);
  }
  return value;
}

/// Of all bytes, with blanks in place of the checksum itself.
std::uint64_t checksum(Block block) {
  std::uint64_t sum = kChecksum.bytes * ' ';
  for (std::size_t i = 0; i < kTarBlock; ++i) {
    if (i < kChecksum.at || i >= kChecksum.at + kChecksum.bytes) {
      sum += std::to_integer<std::uint64_t>(block[i]);
    }
  }
  return sum;
}

/// What a pax header or a GNU long name says of the member behind it.
struct Overrides {
  std::optional<std::string> path;
  std::optional<std::uint64_t> size;
  std::optional<std::string> sparse_path;
  bool sparse = false;
  bool any = false;
};

class MemberParser {
 public:
  MemberParser(const std::filesystem::path& path, Block block, std::uint64_t at)
      : path_(path), block_(block), at_(at) {}

  [[noreturn]] void fail(const Field& field, std::string_view expected,
                         std::string_view found) const {
    throw DataError(path_, at_ + field.at, expected, found);
  }

  std::uint64_t value(const Field& field) const {
    const auto found = number(block_, field);
    if (!found) {
      fail(field, fmt::format("an octal number as a tar member's {}", field.name),
           in_quotes(field_text(block_, field)));
    }
    return *found;
  }

  TarHeader parse() const {
    const auto stored = number(block_, kChecksum);
    if (stored != checksum(block_)) {
      fail(kChecksum, fmt::format("a tar header of checksum {:o}", checksum(block_)),
           in_quotes(field_text(block_, kChecksum)));
    }
    TarHeader header{.path = {}, .size = value(kSize), .type = field_text(block_, kType)[0]};
    if (header.type == '\0') header.type = TarHeader::kRegular;  // before POSIX
    if (field_text(block_, kMagic) == kPosixMagic) {
      const auto prefix = field_string(block_, kPrefix);
      if (!prefix.empty()) header.path = std::string(prefix) + '/';
    }
    header.path += field_string(block_, kName);
    return header;
  }

 private:
  const std::filesystem::path& path_;
  Block block_;
  std::uint64_t at_;
};

/// Records "LENGTH KEY=VALUE\n", where the length counts all of the record.
void read_pax(const std::filesystem::path& path, std::uint64_t at, std::string_view records,
              Overrides& found) {
  while (!records.empty()) {
    const auto fail = [&] {
      throw DataError(path, at, "a pax record like \"20 path=a/b/c.png\"", in_quotes(records));
    };
    std::size_t length = 0;
    const auto [end, error] =
        std::from_chars(records.data(), records.data() + records.size(), length);
    const auto digits = static_cast<std::size_t>(end - records.data());
    if (error != std::errc{} || length > records.size() || length < digits + 3 ||
        records[digits] != ' ' || records[length - 1] != '\n') {
      fail();
    }
    const auto record = records.substr(digits + 1, length - digits - 2);
    const auto equals = record.find('=');
    if (equals == std::string_view::npos) fail();
    const auto key = record.substr(0, equals);
    const auto value = record.substr(equals + 1);
    if (key == "path") found.path = value;
    // https://www.gnu.org/software/tar/manual/html_node/PAX-0.html and PAX-1.html
    if (key == "GNU.sparse.name") found.sparse_path = value;
    found.sparse = found.sparse || key.starts_with("GNU.sparse.");
    if (key == "size") {
      std::uint64_t size = 0;
      const auto [last, bad] = std::from_chars(value.data(), value.data() + value.size(), size);
      if (bad != std::errc{} || last != value.data() + value.size()) fail();
      found.size = size;
    }
    records.remove_prefix(length);
    at += length;
  }
}

void put_text(std::span<std::byte> block, const Field& field, std::string_view text) {
  std::memcpy(block.data() + field.at, text.data(), text.size());
}

void put_octal(std::span<std::byte> block, const Field& field, std::uint64_t value) {
  put_text(block, field, fmt::format("{:0{}o}", value, field.bytes - 1));
}

constexpr std::uint64_t kMostOctalSize = 077777777777;
constexpr std::uint64_t kReadableByAll = 0644;

/// One block. The path must fit into it, by way of the prefix too.
void add_block(std::vector<std::byte>& out, const TarHeader& header, std::string_view prefix,
               std::string_view name) {
  out.resize(out.size() + kTarBlock);
  const auto block = std::span(out).last<kTarBlock>();
  put_text(block, kName, name);
  put_octal(block, kMode, kReadableByAll);
  put_octal(block, kUser, 0);
  put_octal(block, kGroup, 0);
  put_octal(block, kSize, std::min(header.size, kMostOctalSize));
  put_octal(block, kTime, 0);
  put_text(block, kType, {&header.type, 1});
  put_text(block, kMagic, kPosixMagic);
  put_text(block, kPrefix, prefix);
  // Six digits, a NUL and a blank, as everybody writes it.
  put_text(block, kChecksum, fmt::format("{:06o}", checksum(block)));
  block[kChecksum.at + kChecksum.bytes - 1] = std::byte{' '};
}

/// Where to cut the path in prefix and name; nullopt if both halves are not short enough.
std::optional<std::size_t> split_of(std::string_view path) {
  if (path.size() <= kName.bytes) return 0;
  for (std::size_t at = path.size(); at-- > 1;) {
    if (path[at] == '/' && at <= kPrefix.bytes && path.size() - at - 1 <= kName.bytes &&
        at + 1 < path.size()) {
      return at;
    }
  }
  return std::nullopt;
}

std::string pax_record(std::string_view key, std::string_view value) {
  const auto rest = key.size() + value.size() + 3;  // blank, '=' and line break
  auto length = rest + 1;
  while (std::to_string(length).size() + rest != length) ++length;
  return fmt::format("{} {}={}\n", length, key, value);
}

}  // namespace

std::vector<std::byte> encode_tar_header(const TarHeader& header) {
  if (header.path.empty() || header.path.find('\0') != std::string::npos) {
    throw std::invalid_argument("a tar member cannot be called " + in_quotes(header.path));
  }
  std::vector<std::byte> out;
  std::string pax;
  const auto split = split_of(header.path);
  if (!split) pax += pax_record("path", header.path);
  if (header.size > kMostOctalSize) pax += pax_record("size", std::to_string(header.size));
  if (!pax.empty()) {
    TarHeader extended = header;
    extended.size = pax.size();
    extended.type = kPaxHeader;
    add_block(out, extended, "", "PaxHeaders/member");
    const auto bytes = std::as_bytes(std::span(pax));
    out.insert(out.end(), bytes.begin(), bytes.end());
    out.resize(out.size() + tar_padding(pax.size()));
  }
  const std::string_view path = header.path;
  const auto at = split.value_or(0);
  add_block(out, header, path.substr(0, at), path.substr(at == 0 ? 0 : at + 1, kName.bytes));
  return out;
}

void TarReader::check_room(std::uint64_t size) const {
  const auto rest = archive_.size() - at_;
  if (size > rest) {
    throw DataError(path_, archive_.size(), fmt::format("{} bytes of a tar member", size),
                    fmt::format("the end of the archive after {}", rest));
  }
}

/// The text of a pax header or long name.
std::string TarReader::extended(std::uint64_t size) const {
  check_room(size);
  if (size > kMostExtended) {
    throw DataError(path_, at_ - kTarBlock + kSize.at,
                    fmt::format("a pax header or long name of at most {} bytes", kMostExtended),
                    fmt::format("{}", size));
  }
  return std::string(text_of(archive_.bytes(at_, static_cast<std::size_t>(size))));
}

void TarReader::check_end() const {
  constexpr std::uint64_t kPiece = std::uint64_t{64} << 10;
  for (auto at = at_; at < archive_.size(); at += kPiece) {
    const auto rest =
        archive_.bytes(at, static_cast<std::size_t>(std::min(kPiece, archive_.size() - at)));
    const auto odd = std::ranges::find_if(rest, [](std::byte b) { return b != std::byte{0}; });
    if (odd != rest.end()) {
      throw DataError(path_, at + static_cast<std::uint64_t>(odd - rest.begin()),
                      "zeros up to the end of the tar archive", "other bytes");
    }
  }
}

std::optional<TarMember> TarReader::next() {
  Overrides found;
  const auto start = at_;
  for (;;) {
    if (archive_.size() - at_ < kTarBlock) {
      throw DataError(path_, archive_.size(), "a tar header or the zeros that end an archive",
                      "the end of the file");
    }
    const auto block = archive_.bytes(at_, kTarBlock).first<kTarBlock>();
    if (all_zero(block)) {
      if (found.any) {
        throw DataError(path_, at_, "the tar member that the header before it speaks of",
                        "the end of the archive");
      }
      check_end();
      return std::nullopt;
    }
    auto header = MemberParser(path_, block, at_).parse();
    bool map_goes_on = header.type == TarHeader::kSparse && block[kMapGoesOn] != std::byte{0};
    const auto block_at = at_;
    at_ += kTarBlock;
    const auto skip = [this](std::uint64_t size) {
      // What pads the last content may be missing with the end of the archive; next() will say so.
      at_ += std::min<std::uint64_t>(size + tar_padding(size), archive_.size() - at_);
    };
    if (header.type == kPaxHeader || header.type == kPaxGlobal || header.type == kGnuLongName ||
        header.type == kGnuLongLink) {
      const auto text = extended(header.size);
      // A global header could set the path of everything, which nobody wants.
      if (header.type == kPaxHeader) read_pax(path_, at_, text, found);
      if (header.type == kGnuLongName) found.path = text.substr(0, text.find('\0'));
      found.any = found.any || header.type != kPaxGlobal;
      skip(header.size);
      continue;
    }
    for (; map_goes_on; at_ += kTarBlock) {
      check_room(kTarBlock);
      map_goes_on = archive_.bytes(at_, kTarBlock)[kMapGoesOnFurther] != std::byte{0};
    }
    if (found.sparse) header.type = TarHeader::kSparse;
    if (found.path) header.path = std::move(*found.path);
    if (found.sparse_path) header.path = std::move(*found.sparse_path);
    if (found.size) header.size = *found.size;
    if (kWithoutContent.find(header.type) != std::string_view::npos) header.size = 0;
    check_room(header.size);
    TarMember member{std::move(header), found.any ? start : block_at, at_};
    skip(member.header.size);
    return member;
  }
}

bool is_tar(std::span<const std::byte> content) noexcept {
  if (content.size() < kTarBlock) return false;
  const auto block = content.first<kTarBlock>();
  const auto magic = field_text(block, kMagic);
  return (magic == kPosixMagic || magic == kGnuMagic) &&
         number(block, kChecksum) == checksum(block);
}

}  // namespace millrace
