#include "formats/parquet_numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "formats/csv_cells.h"
#include "formats/error.h"
#include "formats/parquet_cells.h"
#include "formats/parquet_column.h"
#include "formats/parquet_encodings.h"
#include "formats/text_numbers.h"

namespace millrace {
namespace {

using Texts = std::vector<std::string_view>;

/// What stands for a number that is missing: only float32 has it.
template <typename T>
constexpr T kMissing = std::is_same_v<T, float> ? std::numeric_limits<T>::quiet_NaN() : T{};

/// A stored value as float32; infinite where it is none.
template <typename Stored>
float as_float(const ParquetLeaf& leaf, const Stored& stored) {
  if constexpr (std::is_same_v<Stored, std::string_view>) {
    if (leaf.meaning == ParquetMeaning::kText && is_csv_missing(without_blanks(stored))) {
      return kMissing<float>;
    }
    return static_cast<float>(parquet_number(leaf, stored));
  } else {
    // Whole numbers are rounded once.
    if (leaf.scale != 0) return static_cast<float>(parquet_number(leaf, stored));
    if constexpr (std::is_integral_v<Stored>) {
      if (leaf.is_unsigned)
        return static_cast<float>(static_cast<std::make_unsigned_t<Stored>>(stored));
    }
    return static_cast<float>(stored);
  }
}

/// Converts to `to` and returns the first that is no T.
template <typename Stored>
std::optional<std::size_t> convert(const ParquetLeaf& leaf, std::span<const Stored> from,
                                   std::span<float> to) {
  bool infinite = false;
  for (std::size_t i = 0; i < from.size(); ++i) {
    to[i] = as_float(leaf, from[i]);
    infinite |= std::isinf(to[i]);
  }
  if (!infinite) return std::nullopt;
  const auto bad = std::ranges::find_if(to, [](float value) { return std::isinf(value); });
  return static_cast<std::size_t>(bad - to.begin());
}

template <typename Stored>
std::optional<std::size_t> convert(const ParquetLeaf& leaf, std::span<const Stored> from,
                                   std::span<std::uint8_t> to) {
  const auto byte_of = [&leaf](const Stored& stored) -> int {
    constexpr int kNone = -1;
    if constexpr (std::is_integral_v<Stored>) {
      // What is negative is large without its sign.
      const auto number = static_cast<std::make_unsigned_t<Stored>>(stored);
      return leaf.scale == 0 && number <= 255 ? static_cast<int>(number) : kNone;
    } else {
      const auto number = parquet_number(leaf, stored);
      const bool whole = number >= 0.0 && number <= 255.0 && number == std::floor(number);
      return whole ? static_cast<int>(number) : kNone;
    }
  };
  bool all = true;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const auto byte = byte_of(from[i]);
    to[i] = static_cast<std::uint8_t>(byte);
    all &= byte >= 0;
  }
  if (all) return std::nullopt;
  const auto bad =
      std::ranges::find_if(from, [&](const auto& stored) { return byte_of(stored) < 0; });
  return static_cast<std::size_t>(bad - from.begin());
}

/// A chunk's dictionary as numbers.
template <typename T>
struct Dictionary {
  ParquetValues stored;       // what pages that are read another way look up
  std::vector<Bytes> owners;  // of texts
  std::vector<T> numbers;
  bool all = true;  // are numbers
};

template <typename T>
class PieceReader {
 public:
  PieceReader(const ParquetFile& file, const ParquetLeaf& leaf, ParquetCodec codec,
              std::size_t width, std::span<T> to, Bytes& room)
      : file_(file), leaf_(leaf), codec_(codec), width_(width), to_(to), room_(room) {}

  ParquetNumbers read(const ParquetPiece& piece) {
    in_row_ = static_cast<std::size_t>(piece.first % width_);
    if (piece.dictionary) read_dictionary_page(*piece.dictionary);
    for (const auto& header : piece.pages) {
      auto page = read_page(file_, leaf_, codec_, header, &room_);
      name_page(file_, leaf_, header, [&] { add(header, page); });
      done_ += header.slots;
    }
    return result_;
  }

 private:
  void read_dictionary_page(const ParquetPageHeader& header) {
    auto read = read_dictionary(file_, leaf_, codec_, header);
    std::visit(
        [&](const auto& values) {
          using Stored = typename std::remove_cvref_t<decltype(values)>::value_type;
          dictionary_.numbers.resize(values.size());
          dictionary_.all =
              !convert(leaf_, std::span<const Stored>(values), std::span<T>(dictionary_.numbers));
        },
        read.values);
    dictionary_.stored = std::move(read.values);
    dictionary_.owners = std::move(read.owners);
  }

  void add(const ParquetPageHeader& header, const ParquetPage& page) {
    const auto to = to_.subspan(static_cast<std::size_t>(done_), header.slots);
    if (leaf_.repetition > 0) check_rows(page.repetitions, header.slots);
    const auto there = read_presence(header, page);
    // Numbers that are there stand together first, and are then spread.
    const auto front = to.first(there);
    const bool indices = header.encoding == ParquetEncoding::kPlainDictionary ||
                         header.encoding == ParquetEncoding::kDictionary;
    std::optional<std::size_t> bad;
    if (indices && dictionary_.all) {
      look_up(page.values, front);
    } else if (header.encoding == ParquetEncoding::kPlain && is_fixed()) {
      bad = read_plain(page.values, front);
    } else {
      bad = read_other(header, page, front);
    }
    if (bad) note_bad(there < to.size() ? slot_of(*bad) : *bad);
    if (there < to.size()) spread(to, there);
  }

  bool is_fixed() const noexcept {
    return leaf_.type == ParquetType::kInt32 || leaf_.type == ParquetType::kInt64 ||
           leaf_.type == ParquetType::kFloat || leaf_.type == ParquetType::kDouble;
  }

  /// The first of a row has level 0, and the others have not; of lists of lists all rows have the
  /// levels of the first.
  void check_rows(std::span<const std::byte> levels, std::size_t slots) {
    levels_.resize(slots);
    (void)decode_levels(levels, static_cast<unsigned>(std::bit_width(leaf_.repetition)), levels_);
    for (std::size_t i = 0; i < slots;) {
      const auto run = std::min(slots - i, width_ - in_row_);
      bool even = true;
      for (std::size_t k = 0; k < run; ++k) even &= (levels_[i + k] == 0) == (in_row_ + k == 0);
      if (leaf_.repetition > 1) even &= is_like_first(std::span(levels_).subspan(i, run));
      result_.even = result_.even && even;
      i += run;
      in_row_ = in_row_ + run == width_ ? 0 : in_row_ + run;
    }
  }

  /// Levels of a row from in_row_ on.
  bool is_like_first(std::span<const std::uint8_t> levels) {
    if (first_row_.size() == in_row_ && first_row_.size() < width_) {
      first_row_.insert(first_row_.end(), levels.begin(), levels.end());
      return true;
    }
    // A piece that begins within a row knows no other before the next one.
    if (first_row_.size() < in_row_ + levels.size()) return true;
    return std::ranges::equal(levels, std::span(first_row_).subspan(in_row_, levels.size()));
  }

  /// Fills `levels_` with 1 for slots that are there; returns how many are. Where all are it is not
  /// to be looked at.
  std::size_t read_presence(const ParquetPageHeader& header, const ParquetPage& page) {
    const std::size_t slots = header.slots;
    if (leaf_.definition == 0 || (page.definitions.empty() && slots == 0)) return slots;
    if (page.definitions.empty()) {
      if (header.kind == ParquetPageHeader::Kind::kDataV2) return slots;
      throw ParquetEncodingError("the levels of a page");
    }
    levels_.resize(slots);
    const auto highest = leaf_.definition;
    (void)decode_levels(page.definitions, static_cast<unsigned>(std::bit_width(highest)), levels_);
    std::size_t there = 0;
    bool sound = true;
    bool listed = true;  // no list is empty or missing
    for (auto& level : levels_) {
      sound &= level <= highest;
      listed &= level >= leaf_.in_list;
      level = level == highest ? 1 : 0;
      there += level;
    }
    if (!sound) throw ParquetEncodingError(fmt::format("levels of at most {}", highest));
    result_.even = result_.even && listed;
    return there;
  }

  /// The slot of a page, some of which are missing, whose value is the `number`-th that is there.
  std::uint64_t slot_of(std::size_t number) const {
    for (std::size_t i = 0; i < levels_.size(); ++i) {
      if (levels_[i] != 0 && number-- == 0) return i;
    }
    return number;
  }

  void note_bad(std::uint64_t slot) {
    result_.bad = std::min(result_.bad.value_or(done_ + slot), done_ + slot);
  }

  void look_up(std::span<const std::byte> in, std::span<T> to) {
    if (to.empty()) return;
    if (in.empty()) throw ParquetEncodingError("indices into a dictionary");
    const auto width = std::to_integer<unsigned>(in[0]);
    const auto& numbers = dictionary_.numbers;
    const auto look = [&](auto& indices) {
      indices.resize(to.size());
      if constexpr (sizeof(indices[0]) == 1) {
        (void)decode_levels(in.subspan(1), width, indices);
      } else {
        (void)decode_rle(in.subspan(1), width, indices);
      }
      if (*std::ranges::max_element(indices) >= numbers.size()) {
        throw ParquetEncodingError(fmt::format("indices into a dictionary of {}", numbers.size()));
      }
      for (std::size_t i = 0; i < to.size(); ++i) to[i] = numbers[indices[i]];
    };
    if (width <= 8) {
      look(short_indices_);
    } else {
      look(indices_);
    }
  }

  std::optional<std::size_t> read_plain(std::span<const std::byte> in, std::span<T> to) {
    const auto read = [&](auto stored) -> std::optional<std::size_t> {
      using Stored = decltype(stored);
      if (in.size() / sizeof(Stored) < to.size()) {
        throw ParquetEncodingError("all values of the page");
      }
      // A page's values stand at any address.
      constexpr std::size_t kAtOnce = 1024;
      std::array<Stored, kAtOnce> values{};
      std::optional<std::size_t> bad;
      for (std::size_t at = 0; at < to.size(); at += kAtOnce) {
        const auto count = std::min(kAtOnce, to.size() - at);
        std::memcpy(values.data(), in.data() + at * sizeof(Stored), count * sizeof(Stored));
        const auto found =
            convert(leaf_, std::span<const Stored>(values).first(count), to.subspan(at, count));
        if (found && !bad) bad = at + *found;
      }
      return bad;
    };
    switch (leaf_.type) {
      case ParquetType::kInt32:
        return read(std::int32_t{});
      case ParquetType::kInt64:
        return read(std::int64_t{});
      case ParquetType::kFloat:
        return read(float{});
      default:
        return read(double{});
    }
  }

  std::optional<std::size_t> read_other(const ParquetPageHeader& header, const ParquetPage& page,
                                        std::span<T> to) {
    ParquetColumn column{.values = parquet_values(leaf_.type),
                         .slots = 0,
                         .present = {},
                         .begins = {},
                         .owners = {}};
    add_values(leaf_, header.encoding, page.values, to.size(), dictionary_.stored, column);
    return std::visit(
        [&](const auto& values) {
          using Stored = typename std::remove_cvref_t<decltype(values)>::value_type;
          return convert(leaf_, std::span<const Stored>(values), to);
        },
        column.values);
  }

  /// From the back, so that nothing is written over before it moved.
  void spread(std::span<T> to, std::size_t there) {
    for (std::size_t i = to.size(); i-- > 0;) to[i] = levels_[i] != 0 ? to[--there] : kMissing<T>;
    if constexpr (!std::is_same_v<T, float>) {
      const auto missing = std::ranges::find(levels_, std::uint8_t{0});
      note_bad(static_cast<std::uint64_t>(missing - levels_.begin()));
    }
  }

  const ParquetFile& file_;
  const ParquetLeaf& leaf_;
  ParquetCodec codec_;
  std::size_t width_;
  std::span<T> to_;
  Bytes& room_;
  Dictionary<T> dictionary_;
  std::uint64_t done_ = 0;  // slots of the piece
  std::size_t in_row_ = 0;  // slots of the row that came
  std::vector<std::uint8_t> levels_;
  std::vector<std::uint8_t> first_row_;  // its levels, of lists of lists
  std::vector<std::uint8_t> short_indices_;
  std::vector<std::uint32_t> indices_;
  ParquetNumbers result_;
};

}  // namespace

std::vector<ParquetPiece> cut_chunk(const ParquetFile& file, const ParquetChunk& chunk,
                                    std::uint64_t slots) {
  std::vector<ParquetPiece> pieces;
  std::optional<ParquetPageHeader> dictionary;
  bool full = true;
  std::uint64_t first = 0;
  ParquetPages pages(file, chunk);
  for (auto header = pages.next(); header; header = pages.next()) {
    if (header->kind == ParquetPageHeader::Kind::kDictionary) {
      dictionary = header;
      full = true;
      continue;
    }
    if (full) pieces.push_back({.dictionary = dictionary, .pages = {}, .first = first, .slots = 0});
    auto& piece = pieces.back();
    piece.pages.push_back(*header);
    piece.slots += header->slots;
    first += header->slots;
    full = piece.slots >= slots;
  }
  return pieces;
}

ParquetNumbers read_numbers(const ParquetFile& file, const ParquetLeaf& leaf, ParquetCodec codec,
                            const ParquetPiece& piece, std::size_t width, std::span<float> to,
                            Bytes& room) {
  return PieceReader<float>(file, leaf, codec, width, to, room).read(piece);
}

ParquetNumbers read_numbers(const ParquetFile& file, const ParquetLeaf& leaf, ParquetCodec codec,
                            const ParquetPiece& piece, std::size_t width,
                            std::span<std::uint8_t> to, Bytes& room) {
  return PieceReader<std::uint8_t>(file, leaf, codec, width, to, room).read(piece);
}

}  // namespace millrace
