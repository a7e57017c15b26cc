#include "formats/parquet_column.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>
#include <type_traits>
#include <utility>

#include "formats/error.h"
#include "formats/in_quotes.h"
#include "formats/little_endian.h"
#include "formats/parquet_encodings.h"

namespace millrace {
namespace {

using Encoding = ParquetEncoding;
using Bits = std::vector<std::uint8_t>;
using Texts = std::vector<std::string_view>;

/// Bytes of each text; 0: of any number.
std::size_t text_width(const ParquetLeaf& leaf) {
  if (leaf.type == ParquetType::kInt96) return 12;
  return leaf.type == ParquetType::kFixedBytes ? leaf.length : 0;
}

[[noreturn]] void refuse(Encoding encoding) {
  throw ParquetEncodingError(fmt::format("an encoding that is read for this type (not number {})",
                                         static_cast<int>(encoding)));
}

/// Reads the values of a page, encoded in any way but by a dictionary, behind those of `to`.
class ValueReader {
 public:
  ValueReader(const ParquetLeaf& leaf, Encoding encoding, std::span<const std::byte> in,
              std::size_t count, std::vector<Bytes>& owners)
      : leaf_(leaf), encoding_(encoding), in_(in), count_(count), owners_(owners) {}

  void operator()(Bits& to) const {
    check_count(1, encoding_ == Encoding::kPlain);
    to.resize(to.size() + count_);
    const auto out = std::span(to).last(count_);
    if (encoding_ == Encoding::kPlain) {
      decode_bits(in_, out);
      return;
    }
    if (encoding_ != Encoding::kRle) refuse(encoding_);
    constexpr std::size_t kLength = 4;
    if (in_.size() < kLength) throw ParquetEncodingError("the length of runs of bits");
    std::vector<std::uint32_t> bits(count_);
    (void)decode_rle(in_.subspan(kLength), 1, bits);
    std::ranges::transform(bits, out.begin(),
                           [](std::uint32_t bit) { return static_cast<std::uint8_t>(bit); });
  }

  template <typename T>
  void operator()(std::vector<T>& to) const {
    if (std::is_integral_v<T> && encoding_ == Encoding::kDeltas) {
      std::vector<std::uint64_t> numbers;
      (void)decode_deltas(in_, count_, numbers);
      if (numbers.size() < count_) throw ParquetEncodingError("all values of the page");
      for (const auto number : numbers) to.push_back(static_cast<T>(number));
      return;
    }
    const bool split = encoding_ == Encoding::kSplit;
    if (!split && encoding_ != Encoding::kPlain) refuse(encoding_);
    if (in_.size() / sizeof(T) < count_) throw ParquetEncodingError("all values of the page");
    to.resize(to.size() + count_);
    const auto out = std::as_writable_bytes(std::span(to).last(count_));
    if (split) {
      decode_split(in_, sizeof(T), out);
    } else if (!out.empty()) {
      std::memcpy(out.data(), in_.data(), out.size());
    }
  }

  void operator()(Texts& to) const {
    const auto width = text_width(leaf_);
    constexpr std::size_t kLength = 4;  // of a text, in front of it
    check_count(8 * (width == 0 ? kLength : width), encoding_ == Encoding::kPlain);
    to.resize(to.size() + count_);
    const auto out = std::span(to).last(count_);
    if (encoding_ == Encoding::kPlain) {
      if (width == 0) {
        decode_texts(in_, out);
      } else {
        decode_texts(in_, width, out);
      }
    } else if (encoding_ == Encoding::kLengths && width == 0) {
      decode_lengths(in_, out);
    } else if (encoding_ == Encoding::kPrefixes) {
      owners_.push_back(decode_prefixes(in_, out));
      check_widths(out, width);
    } else if (encoding_ == Encoding::kSplit && width > 0) {
      if (in_.size() / width < count_) throw ParquetEncodingError("all values of the page");
      auto bytes = Bytes::allocate(count_ * width);
      decode_split(in_, width, bytes.writable());
      decode_texts(bytes.view(), width, out);
      owners_.push_back(std::move(bytes));
    } else {
      refuse(encoding_);
    }
  }

 private:
  /// Before memory is taken for values that take `bits` each, where they do.
  void check_count(std::size_t bits, bool they_do) const {
    if (they_do && count_ / 8 > in_.size() / bits + 1) {
      throw ParquetEncodingError("all values of the page");
    }
  }

  static void check_widths(std::span<const std::string_view> texts, std::size_t width) {
    if (width > 0 &&
        std::ranges::any_of(texts, [width](auto text) { return text.size() != width; })) {
      throw ParquetEncodingError(fmt::format("values of {} bytes", width));
    }
  }

  const ParquetLeaf& leaf_;
  Encoding encoding_;
  std::span<const std::byte> in_;
  std::size_t count_;
  std::vector<Bytes>& owners_;
};

/// Looks up the values of a page in a dictionary: behind the bits of each index in one byte.
template <typename T>
void look_up(std::span<const std::byte> in, std::size_t count, const std::vector<T>& dictionary,
             std::vector<T>& to) {
  if (count == 0) return;
  if (in.empty()) throw ParquetEncodingError("indices into a dictionary");
  std::vector<std::uint32_t> indices(count);
  (void)decode_rle(in.subspan(1), std::to_integer<unsigned>(in[0]), indices);
  if (*std::ranges::max_element(indices) >= dictionary.size()) {
    throw ParquetEncodingError(fmt::format("indices into a dictionary of {}", dictionary.size()));
  }
  for (const auto index : indices) to.push_back(dictionary[index]);
}

unsigned level_bits(std::uint32_t highest) {
  return static_cast<unsigned>(std::bit_width(highest));
}

/// Puts to `to`, for each slot of a page, whether its level is `wanted`; returns how many are.
/// `to` stays empty where all were, and are.
std::size_t add_levels(std::span<const std::byte> levels, std::uint32_t highest,
                       std::uint32_t wanted, std::uint64_t before, std::size_t slots,
                       std::vector<std::uint8_t>& to) {
  std::vector<std::uint8_t> found(slots);
  (void)decode_levels(levels, level_bits(highest), found);
  if (std::ranges::any_of(found, [highest](std::uint8_t level) { return level > highest; })) {
    throw ParquetEncodingError(fmt::format("levels of at most {}", highest));
  }
  const auto count =
      static_cast<std::size_t>(std::ranges::count(found, static_cast<std::uint8_t>(wanted)));
  if (to.empty() && count == slots) return count;
  to.resize(static_cast<std::size_t>(before), 1);
  for (const auto level : found) to.push_back(level == wanted ? 1 : 0);
  return count;
}

void add_page_values(const ParquetLeaf& leaf, const ParquetPageHeader& header, ParquetPage& page,
                     const ParquetValues& dictionary, ParquetColumn& column) {
  const std::size_t slots = header.slots;
  std::size_t count = slots;
  if (leaf.repetition > 0) {
    (void)add_levels(page.repetitions, leaf.repetition, 0, column.slots, slots, column.begins);
  }
  if (leaf.definition > 0) {
    // A page without a missing value may leave the levels out (of the second version).
    const bool all = page.definitions.empty() && slots > 0;
    if (all && header.kind != ParquetPageHeader::Kind::kDataV2) {
      throw ParquetEncodingError("the levels of a page");
    }
    if (!all) {
      count = add_levels(page.definitions, leaf.definition, leaf.definition, column.slots, slots,
                         column.present);
    } else if (!column.present.empty()) {
      column.present.resize(column.present.size() + slots, 1);
    }
  }
  add_values(leaf, header.encoding, page.values, count, dictionary, column);
  column.slots += slots;
}

/// Texts view the page.
void keep_page(ParquetPage page, ParquetColumn& column) {
  if (!page.owner.view().empty() && std::holds_alternative<Texts>(column.values)) {
    column.owners.push_back(std::move(page.owner));
  }
}

}  // namespace

ParquetValues parquet_values(ParquetType type) {
  switch (type) {
    case ParquetType::kBoolean:
      return Bits();
    case ParquetType::kInt32:
      return std::vector<std::int32_t>();
    case ParquetType::kInt64:
      return std::vector<std::int64_t>();
    case ParquetType::kFloat:
      return std::vector<float>();
    case ParquetType::kDouble:
      return std::vector<double>();
    case ParquetType::kInt96:
    case ParquetType::kBytes:
    case ParquetType::kFixedBytes:
      break;
  }
  return Texts();
}

void add_values(const ParquetLeaf& leaf, ParquetEncoding encoding, std::span<const std::byte> in,
                std::size_t count, const ParquetValues& dictionary, ParquetColumn& column) {
  const bool indices = encoding == Encoding::kPlainDictionary || encoding == Encoding::kDictionary;
  std::visit(
      [&](auto& to) {
        using Vector = std::remove_reference_t<decltype(to)>;
        const auto* from = std::get_if<Vector>(&dictionary);
        if (!indices) {
          ValueReader(leaf, encoding, in, count, column.owners)(to);
        } else if (from == nullptr) {
          throw ParquetEncodingError("a dictionary in front of indices");
        } else {
          look_up(in, count, *from, to);
        }
      },
      column.values);
}

DataError page_error(const ParquetFile& file, const ParquetLeaf& leaf,
                     const ParquetPageHeader& header, const ParquetEncodingError& error) {
  return {file.path(), header.at,
          fmt::format("{} in a page of column {}", error.what(), in_quotes(leaf.name)),
          "other bytes"};
}

ParquetColumn read_dictionary(const ParquetFile& file, const ParquetLeaf& leaf, ParquetCodec codec,
                              const ParquetPageHeader& header) {
  ParquetColumn column{.values = parquet_values(leaf.type),
                       .slots = header.slots,
                       .present = {},
                       .begins = {},
                       .owners = {}};
  auto page = read_page(file, leaf, codec, header);
  name_page(file, leaf, header, [&] {
    // Each takes a bit at least.
    if (header.slots / 8 > page.values.size()) throw ParquetEncodingError("all of a dictionary");
    std::visit(
        [&](auto& to) {
          ValueReader(leaf, Encoding::kPlain, page.values, header.slots, column.owners)(to);
        },
        column.values);
  });
  keep_page(std::move(page), column);
  return column;
}

void add_page(const ParquetFile& file, const ParquetLeaf& leaf, ParquetCodec codec,
              const ParquetPageHeader& header, const ParquetValues& dictionary,
              ParquetColumn& column) {
  auto page = read_page(file, leaf, codec, header);
  name_page(file, leaf, header, [&] { add_page_values(leaf, header, page, dictionary, column); });
  keep_page(std::move(page), column);
}

ParquetColumn read_column(const ParquetFile& file, const ParquetLeaf& leaf,
                          const ParquetChunk& chunk, std::uint64_t most) {
  ParquetColumn column{
      .values = parquet_values(leaf.type), .slots = 0, .present = {}, .begins = {}, .owners = {}};
  ParquetValues dictionary = parquet_values(leaf.type);
  ParquetPages pages(file, chunk);
  for (auto header = pages.next(); header; header = pages.next()) {
    if (header->kind == ParquetPageHeader::Kind::kDictionary) {
      auto read = read_dictionary(file, leaf, chunk.codec, *header);
      dictionary = std::move(read.values);
      std::ranges::move(read.owners, std::back_inserter(column.owners));
      continue;
    }
    add_page(file, leaf, chunk.codec, *header, dictionary, column);
    if (column.slots >= most) break;
  }
  return column;
}

}  // namespace millrace
