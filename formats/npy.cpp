#include "formats/npy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "formats/error.h"
#include "formats/in_quotes.h"
#include "formats/little_endian.h"
#include "formats/text.h"

namespace millrace {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kVersionBytes = 2;
constexpr std::size_t kAlignment = 64;
constexpr std::size_t kMostDimensions = 64;  // NumPy 2's own limit

struct TypeName {
  std::string_view name;  // as NumPy has it behind the byte order
  DType dtype;
};
constexpr std::array<TypeName, 12> kTypes{{{"b1", DType::kBool},
                                           {"u1", DType::kUInt8},
                                           {"i1", DType::kInt8},
                                           {"u2", DType::kUInt16},
                                           {"i2", DType::kInt16},
                                           {"u4", DType::kUInt32},
                                           {"i4", DType::kInt32},
                                           {"u8", DType::kUInt64},
                                           {"i8", DType::kInt64},
                                           {"f2", DType::kFloat16},
                                           {"f4", DType::kFloat32},
                                           {"f8", DType::kFloat64}}};

std::optional<std::uint64_t> data_bytes(const NpyHeader& header) noexcept {
  const auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  std::uint64_t bytes = size_of(header.dtype);
  bool overflow = false;
  for (const auto dim : header.shape) {
    if (dim == 0) return 0;
    if (bytes > most / dim) overflow = true;
    if (!overflow) bytes *= dim;
  }
  if (overflow || bytes > most - kLargestNpyHeader) return std::nullopt;
  return bytes;
}

/// Reads the dictionary, which is Python: `{'descr': '<f4', 'fortran_order': False, 'shape': (3,
/// 4), }`.
class Dictionary {
 public:
  Dictionary(const std::filesystem::path& path, std::string_view text, std::size_t at)
      : path_(path), text_(text), start_(at) {}

  NpyHeader parse() {
    expect('{');
    while (!take('}')) {
      const auto key_at = at_;
      const auto key = string("a key");
      expect(':');
      if (key == "descr" && !has_type_) {
        type();
        has_type_ = true;
      } else if (key == "fortran_order" && !has_order_) {
        order();
        has_order_ = true;
      } else if (key == "shape" && !has_shape_) {
        shape();
        has_shape_ = true;
      } else {
        fail_at(key_at, "the keys 'descr', 'fortran_order' and 'shape', each once", in_quotes(key));
      }
      if (!take(',') && !next_is('}')) fail("',' or '}'");
    }
    skip_blanks();
    if (at_ != text_.size()) fail("the end of the header");
    if (!has_type_ || !has_order_ || !has_shape_) {
      fail_at(0, "the keys 'descr', 'fortran_order' and 'shape'", "not all of them");
    }
    return std::move(header_);
  }

 private:
  [[noreturn]] void fail_at(std::size_t at, std::string_view expected,
                            std::string_view found) const {
    throw DataError(path_, start_ + at, fmt::format("{} in the npy header", expected), found);
  }
  [[noreturn]] void fail(std::string_view expected) const {
    constexpr std::size_t kShown = 20;
    fail_at(at_, expected,
            at_ == text_.size() ? "its end" : in_quotes(text_.substr(at_).substr(0, kShown)));
  }

  void skip_blanks() {
    constexpr std::string_view kBlank = " \t\r\n";
    while (at_ < text_.size() && kBlank.find(text_[at_]) != std::string_view::npos) ++at_;
  }
  bool next_is(char c) {
    skip_blanks();
    return at_ < text_.size() && text_[at_] == c;
  }
  bool take(char c) {
    if (!next_is(c)) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!take(c)) fail(fmt::format("'{}'", c));
  }
  bool take_word(std::string_view word) {
    skip_blanks();
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  std::string_view string(std::string_view what) {
    skip_blanks();
    if (!next_is('\'') && !next_is('"')) fail(what);
    const auto end = text_.find(text_[at_], at_ + 1);
    if (end == std::string_view::npos) fail(what);
    const auto value = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return value;
  }

  void type() {
    constexpr std::string_view kExpected =
        "an element type that is a bool or a number of 1, 2, 4 or 8 bytes";
    if (next_is('[')) fail_at(at_, kExpected, "a structure");
    const auto type_at = at_;
    const auto name = string(kExpected);
    if (!name.empty() && std::string_view("<>|=").find(name[0]) != std::string_view::npos) {
      if (const auto known = npy_type_called(name.substr(1))) {
        header_.dtype = *known;
        header_.big_endian = name[0] == '>' && size_of(*known) > 1;
        return;
      }
    }
    fail_at(type_at, kExpected, name == "|O" ? "\"|O\", Python objects" : in_quotes(name));
  }

  void order() {
    if (take_word("True")) {
      header_.fortran_order = true;
    } else if (!take_word("False")) {
      fail("True or False");
    }
  }

  void shape() {
    expect('(');
    while (!take(')')) {
      skip_blanks();
      std::uint64_t dim = 0;
      const auto rest = text_.substr(at_);
      const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), dim);
      if (error != std::errc{}) fail("a size that fits in 64 bits");
      at_ += static_cast<std::size_t>(end - rest.data());
      take('L');  // Python 2 writes it
      if (header_.shape.size() == kMostDimensions) {
        fail(fmt::format("at most {} sizes", kMostDimensions));
      }
      header_.shape.push_back(dim);
      if (!take(',') && !next_is(')')) fail("',' or ')'");
    }
  }

  const std::filesystem::path& path_;
  std::string_view text_;
  std::size_t start_;  // of the text in the file
  std::size_t at_ = 0;
  NpyHeader header_;
  bool has_type_ = false;
  bool has_order_ = false;
  bool has_shape_ = false;
};

}  // namespace

std::string NpyHeader::describe() const {
  if (shape.empty()) return fmt::format("scalar {}", name_of(dtype));
  return fmt::format("{} {}", fmt::join(shape, "x"), name_of(dtype));
}

ParsedNpyHeader parse_npy_header(const std::filesystem::path& path,
                                 std::span<const std::byte> content) {
  const auto text = text_of(content);
  if (!text.starts_with(kMagic)) {
    throw DataError(path, 0, R"(an npy file ("\x93NUMPY"))",
                    text.empty() ? "the end of the content" : in_quotes(text.substr(0, 6)));
  }
  constexpr std::size_t kLengthAt = kMagic.size() + kVersionBytes;
  if (content.size() < kLengthAt) {
    throw DataError(path, content.size(), "the version of an npy file", "the end of the content");
  }
  const auto version = std::to_integer<unsigned>(content[kMagic.size()]);
  if (version < 1 || version > 3) {
    throw DataError(path, kMagic.size(), "an npy file of version 1, 2 or 3",
                    std::to_string(version));
  }
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  const auto start = kLengthAt + length_bytes;
  if (content.size() < start) {
    throw DataError(path, content.size(), "the length of an npy header", "the end of the content");
  }
  const std::size_t length = version == 1 ? load_little_endian16(&content[kLengthAt])
                                          : load_little_endian32(&content[kLengthAt]);
  if (length > kLargestNpyHeader - start) {
    throw DataError(path, kLengthAt,
                    fmt::format("an npy header of at most {} bytes", kLargestNpyHeader - start),
                    std::to_string(length));
  }
  if (content.size() - start < length) {
    throw DataError(path, content.size(), fmt::format("an npy header of {} bytes", length),
                    "the end of the content");
  }
  ParsedNpyHeader parsed{Dictionary(path, text.substr(start, length), start).parse(),
                         start + length};
  if (!data_bytes(parsed.header)) {
    throw DataError(path, start, "an array whose size fits in 63 bits", parsed.header.describe());
  }
  return parsed;
}

std::optional<DType> npy_type_called(std::string_view name) noexcept {
  const auto* const known = std::ranges::find(kTypes, name, &TypeName::name);
  if (known == kTypes.end()) return std::nullopt;
  return known->dtype;
}

std::vector<std::byte> encode_npy_header(const NpyHeader& header) {
  (void)npy_data_bytes(header);
  const auto* const type = std::ranges::find(kTypes, header.dtype, &TypeName::dtype);
  if (type == kTypes.end()) {
    throw std::invalid_argument(fmt::format("NumPy has no element type {}", name_of(header.dtype)));
  }
  if (header.shape.size() > kMostDimensions) {
    throw std::invalid_argument(fmt::format("NumPy has at most {} dimensions, not {}",
                                            kMostDimensions, header.shape.size()));
  }
  const char order = size_of(header.dtype) == 1 ? '|' : header.big_endian ? '>' : '<';
  auto text = fmt::format("{{'descr': '{}{}', 'fortran_order': {}, 'shape': ({}{}), }}", order,
                          type->name, header.fortran_order ? "True" : "False",
                          fmt::join(header.shape, ", "), header.shape.size() == 1 ? "," : "");
  constexpr std::size_t kBefore = kMagic.size() + kVersionBytes + 2;
  const auto total = (kBefore + text.size() + 1 + kAlignment - 1) / kAlignment * kAlignment;
  text.resize(total - kBefore - 1, ' ');
  text += '\n';
  std::vector<std::byte> bytes;
  bytes.reserve(total);
  const auto add = [&bytes](std::string_view piece) {
    for (const char c : piece) bytes.push_back(static_cast<std::byte>(c));
  };
  add(kMagic);
  for (const std::size_t value :
       {std::size_t{1}, std::size_t{0}, text.size() & 0xffU, text.size() >> 8U}) {
    bytes.push_back(static_cast<std::byte>(value));
  }
  add(text);
  return bytes;
}

std::uint64_t npy_data_bytes(const NpyHeader& header) {
  const auto bytes = data_bytes(header);
  if (!bytes) throw std::invalid_argument(header.describe() + " is larger than any file");
  return *bytes;
}

}  // namespace millrace
