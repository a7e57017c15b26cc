#pragma once

#include <libdeflate.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "formats/parquet_footer.h"
#include "tests/support/compressed.h"
#include "tests/support/files.h"

// Parquet files, written from the format's own description (https://parquet.apache.org/docs/):
// column by column, or with a footer that says whatever a test wants.

namespace millrace::test {

inline void put_varint(ByteVector& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7U) out.push_back(static_cast<std::byte>(value | 0x80U));
  out.push_back(static_cast<std::byte>(value));
}
inline void put_zigzag(ByteVector& out, std::int64_t value) {
  put_varint(out, (static_cast<std::uint64_t>(value) << 1U) ^
                      static_cast<std::uint64_t>(value < 0 ? -1 : 0));
}
inline void append(ByteVector& out, std::span<const std::byte> bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}
/// A number as it lies in memory: these tests, as the library, are for little-endian machines.
template <typename T>
ByteVector plain(T value) {
  ByteVector bytes(sizeof(T));
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

/// Writes Thrift's compact protocol: the fields of a struct in the order of their ids.
class ThriftWriter {
 public:
  enum Type { kTrue = 1, kFalse, kByte, kInt16, kInt32, kInt64, kDouble, kBinary, kList, kSet };
  static constexpr int kMap = 11;
  static constexpr int kStruct = 12;

  ThriftWriter& integer(int id, std::int64_t value, int type = kInt64) {
    field(id, type);
    put_zigzag(bytes_, value);
    return *this;
  }
  ThriftWriter& boolean(int id, bool value) {
    field(id, value ? kTrue : kFalse);
    return *this;
  }
  ThriftWriter& binary(int id, std::string_view text) {
    field(id, kBinary);
    return element(text);
  }
  ThriftWriter& begin(int id) {
    field(id, kStruct);
    return begin();
  }
  ThriftWriter& end() {
    bytes_.push_back(std::byte{0});
    last_.pop_back();
    return *this;
  }
  ThriftWriter& list(int id, int type, std::size_t count) {
    field(id, kList);
    if (count < 15) {
      bytes_.push_back(static_cast<std::byte>(count << 4U | static_cast<unsigned>(type)));
    } else {
      bytes_.push_back(static_cast<std::byte>(0xF0U | static_cast<unsigned>(type)));
      put_varint(bytes_, count);
    }
    return *this;
  }
  /// Elements of a list.
  ThriftWriter& element(std::string_view text) {
    put_varint(bytes_, text.size());
    append(bytes_, make_bytes(text));
    return *this;
  }
  ThriftWriter& element(std::int64_t value) {
    put_zigzag(bytes_, value);
    return *this;
  }
  ThriftWriter& begin() {
    last_.push_back(0);
    return *this;
  }
  /// The header of a field whose value is written as raw() bytes.
  ThriftWriter& field(int id, int type) {
    const int delta = id - last_.back();
    if (delta > 0 && delta < 16) {
      bytes_.push_back(static_cast<std::byte>(delta << 4 | type));
    } else {
      bytes_.push_back(static_cast<std::byte>(type));
      put_zigzag(bytes_, id);
    }
    last_.back() = id;
    return *this;
  }
  ThriftWriter& raw(std::span<const std::byte> bytes) {
    append(bytes_, bytes);
    return *this;
  }
  /// Ends the outermost struct.
  ByteVector take() {
    end();
    return std::move(bytes_);
  }

 private:
  ByteVector bytes_;
  std::vector<int> last_{0};
};

/// An element of a schema.
struct ParquetElement {
  std::string name = {};
  std::optional<ParquetType> type = {};  ///< none: a group
  int repetition = 0;                    ///< 1: optional, 2: repeated
  int children = 0;
  int length = 0;
  int converted = -1;
  int scale = 0;
  int logical = 0;        ///< which of the union
  bool is_signed = true;  ///< of a logical INTEGER
};

/// What a footer says of a column in a row group.
struct ParquetChunkInfo {
  int type = 0;
  int codec = 0;
  std::int64_t values = 0;
  std::int64_t at = 0;
  std::int64_t bytes = 0;
  std::int64_t dictionary_at = 0;
  std::string elsewhere = {};
  bool encrypted = false;
};
struct ParquetGroupInfo {
  std::int64_t rows = 0;
  std::vector<ParquetChunkInfo> chunks = {};
};
struct ParquetInfo {
  std::vector<ParquetElement> schema;
  std::int64_t rows = 0;
  std::vector<ParquetGroupInfo> groups = {};
  std::map<std::string, std::string> notes = {};
};

inline void put_element(ThriftWriter& out, const ParquetElement& element) {
  out.begin();
  if (element.type) out.integer(1, static_cast<int>(*element.type), ThriftWriter::kInt32);
  if (element.length > 0) out.integer(2, element.length, ThriftWriter::kInt32);
  out.integer(3, element.repetition, ThriftWriter::kInt32).binary(4, element.name);
  if (element.children > 0) out.integer(5, element.children, ThriftWriter::kInt32);
  if (element.converted >= 0) out.integer(6, element.converted, ThriftWriter::kInt32);
  if (element.scale > 0) out.integer(7, element.scale, ThriftWriter::kInt32);
  if (element.logical > 0) {
    out.begin(10).begin(element.logical);
    if (element.logical == 5) out.integer(1, element.scale, ThriftWriter::kInt32);
    if (element.logical == 10) {
      out.field(1, ThriftWriter::kByte).raw(make_bytes({32})).boolean(2, element.is_signed);
    }
    out.end().end();
  }
  out.end();
}

inline void put_chunk(ThriftWriter& out, const ParquetChunkInfo& chunk) {
  out.begin();
  if (!chunk.elsewhere.empty()) out.binary(1, chunk.elsewhere);
  out.integer(2, 0).begin(3);
  out.integer(1, chunk.type, ThriftWriter::kInt32);
  out.list(2, ThriftWriter::kInt32, 1).element(0).list(3, ThriftWriter::kBinary, 1).element("a");
  out.integer(4, chunk.codec, ThriftWriter::kInt32).integer(5, chunk.values);
  out.integer(6, chunk.bytes).integer(7, chunk.bytes).integer(9, chunk.at);
  if (chunk.dictionary_at > 0) out.integer(11, chunk.dictionary_at);
  out.end();
  if (chunk.encrypted) out.begin(8).end();
  out.end();
}

/// The footer's struct alone.
inline ByteVector footer_struct(const ParquetInfo& info) {
  ThriftWriter out;
  out.integer(1, 2, ThriftWriter::kInt32).list(2, ThriftWriter::kStruct, info.schema.size());
  for (const auto& element : info.schema) put_element(out, element);
  out.integer(3, info.rows).list(4, ThriftWriter::kStruct, info.groups.size());
  for (const auto& group : info.groups) {
    out.begin().list(1, ThriftWriter::kStruct, group.chunks.size());
    for (const auto& chunk : group.chunks) put_chunk(out, chunk);
    out.integer(2, 0).integer(3, group.rows).end();
  }
  if (!info.notes.empty()) {
    out.list(5, ThriftWriter::kStruct, info.notes.size());
    for (const auto& [key, value] : info.notes) out.begin().binary(1, key).binary(2, value).end();
  }
  return out.take();
}

/// A file of columns and a footer's struct.
inline ByteVector parquet_file(std::span<const std::byte> columns,
                               std::span<const std::byte> footer) {
  return joined({make_bytes("PAR1"), columns, footer,
                 plain(static_cast<std::uint32_t>(footer.size())), make_bytes("PAR1")});
}

/// Runs of equal numbers, `width` bits each.
inline ByteVector rle_of(std::span<const std::uint32_t> values, unsigned width) {
  ByteVector out;
  for (std::size_t i = 0; i < values.size();) {
    std::size_t end = i;
    while (end < values.size() && values[end] == values[i]) ++end;
    put_varint(out, std::uint64_t{end - i} << 1U);
    append(out, std::span<const std::byte>(plain(values[i])).first((width + 7) / 8));
    i = end;
  }
  return out;
}

/// Numbers of `width` bits, the lowest bit first.
inline ByteVector bits_of(std::span<const std::uint64_t> values, unsigned width) {
  ByteVector out((values.size() * width + 7) / 8);
  for (std::size_t i = 0; i < values.size() * width; ++i) {
    if ((values[i / width] >> i % width & 1U) != 0) out[i / 8] |= std::byte{1} << i % 8;
  }
  return out;
}

/// One run of packed numbers.
inline ByteVector packed_of(std::span<const std::uint32_t> values, unsigned width) {
  std::vector<std::uint64_t> all(values.begin(), values.end());
  all.resize((values.size() + 7) / 8 * 8);
  ByteVector out;
  put_varint(out, all.size() / 8 << 1U | 1U);
  append(out, bits_of(all, width));
  return out;
}

/// DELTA_BINARY_PACKED: blocks of 128 in `minis` parts.
inline ByteVector deltas_of(std::span<const std::uint64_t> values, std::size_t minis = 4) {
  constexpr std::size_t kBlock = 128;
  ByteVector out;
  put_varint(out, kBlock);
  put_varint(out, minis);
  put_varint(out, values.size());
  put_zigzag(out, values.empty() ? 0 : static_cast<std::int64_t>(values[0]));
  for (std::size_t begin = 1; begin < values.size(); begin += kBlock) {
    const auto count = std::min(kBlock, values.size() - begin);
    std::vector<std::int64_t> deltas;
    for (std::size_t i = begin; i < begin + count; ++i)
      deltas.push_back(static_cast<std::int64_t>(values[i] - values[i - 1]));
    const auto least = *std::ranges::min_element(deltas);
    put_zigzag(out, least);
    ByteVector widths;
    ByteVector packed;
    for (std::size_t mini = 0; mini < minis; ++mini) {
      std::vector<std::uint64_t> numbers(kBlock / minis);
      std::uint64_t all = 0;
      for (std::size_t i = 0; i < numbers.size(); ++i) {
        const auto at = mini * numbers.size() + i;
        if (at < count)
          numbers[i] = static_cast<std::uint64_t>(deltas[at]) - static_cast<std::uint64_t>(least);
        all |= numbers[i];
      }
      // Behind the last number there are widths, but no parts.
      const bool empty = mini * numbers.size() >= count;
      const auto width = empty ? 0U : static_cast<unsigned>(std::bit_width(all));
      widths.push_back(static_cast<std::byte>(width));
      if (!empty) append(packed, bits_of(numbers, width));
    }
    append(out, widths);
    append(out, packed);
  }
  return out;
}

/// Cells as they are stored, each by itself: numbers in their bytes, a bool as a byte, a text as it
/// is; nullopt is missing.
using ParquetCellValues = std::vector<std::optional<ByteVector>>;
using ParquetEncoder = std::function<ByteVector(std::span<const ByteVector>)>;

/// A column to write.
struct ParquetField {
  std::string name;  ///< "image.bytes" is "bytes" in a struct "image", as its neighbours are
  ParquetType type = ParquetType::kDouble;
  ParquetCellValues cells;
  int converted = -1;
  int length = 0;  ///< of kFixedBytes
  int scale = 0;
  int logical = 0;
  bool is_signed = true;
  bool optional = false;  ///< though nothing is missing
  /// Of lists: how many values each row has, in turn, from the first on again.
  std::vector<std::size_t> list = {};
  int encoding = 0;  ///< of `encode`
  ParquetEncoder encode = {};

  bool has_levels() const {
    return optional || std::ranges::any_of(cells, [](const auto& cell) { return !cell; });
  }
  ParquetField as(int converted_type) const {
    auto other = *this;
    other.converted = converted_type;
    return other;
  }
  ParquetField encoded(int by, ParquetEncoder encoder) const {
    auto other = *this;
    other.encoding = by;
    other.encode = std::move(encoder);
    return other;
  }
  ParquetField in_lists_of(std::vector<std::size_t> lengths) const {
    auto other = *this;
    other.list = std::move(lengths);
    return other;
  }
};

template <typename T>
constexpr ParquetType parquet_type() {
  if constexpr (std::is_same_v<T, bool>) return ParquetType::kBoolean;
  if constexpr (std::is_same_v<T, float>) return ParquetType::kFloat;
  if constexpr (std::is_same_v<T, double>) return ParquetType::kDouble;
  return sizeof(T) == 8 ? ParquetType::kInt64 : ParquetType::kInt32;
}

/// Of numbers: number_field<float>("a", {1, std::nullopt}). Types of 8 and 16 bits are stored as
/// int32 and, as unsigned ones, say what they are.
template <typename T>
ParquetField number_field(const std::string& name, std::initializer_list<std::optional<T>> values) {
  ParquetField field{.name = name, .type = parquet_type<T>(), .cells = {}};
  for (const auto& value : values) {
    if (!value) {
      field.cells.emplace_back();
    } else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool> && sizeof(T) < 4) {
      field.cells.push_back(plain(static_cast<std::int32_t>(*value)));
    } else {
      field.cells.push_back(plain(*value));
    }
  }
  constexpr auto kLog = std::bit_width(sizeof(T)) - 1;
  if constexpr (std::is_unsigned_v<T> && !std::is_same_v<T, bool>) field.converted = 11 + kLog;
  if constexpr (std::is_signed_v<T> && std::is_integral_v<T> && sizeof(T) < 4) {
    field.converted = 15 + kLog;
  }
  return field;
}

/// Of text, or with `converted` -1 of bytes.
inline ParquetField text_field(std::string name,
                               std::initializer_list<std::optional<std::string_view>> values,
                               int converted = 0) {
  ParquetField field{.name = std::move(name), .type = ParquetType::kBytes, .cells = {}};
  for (const auto& value : values) {
    field.cells.push_back(value ? std::optional(make_bytes(*value)) : std::nullopt);
  }
  field.converted = converted;
  return field;
}

inline ParquetField bytes_field(std::string name, ParquetCellValues cells) {
  return {.name = std::move(name), .type = ParquetType::kBytes, .cells = std::move(cells)};
}

inline ByteVector plain_page(ParquetType type, std::span<const ByteVector> cells) {
  ByteVector out;
  if (type == ParquetType::kBoolean) {
    std::vector<std::uint64_t> bits;
    for (const auto& cell : cells) bits.push_back(std::to_integer<std::uint64_t>(cell[0]));
    return bits_of(bits, 1);
  }
  for (const auto& cell : cells) {
    if (type == ParquetType::kBytes) append(out, plain(static_cast<std::uint32_t>(cell.size())));
    append(out, cell);
  }
  return out;
}

/// DELTA_LENGTH_BYTE_ARRAY.
inline ByteVector lengths_page(std::span<const ByteVector> cells) {
  std::vector<std::uint64_t> lengths;
  for (const auto& cell : cells) lengths.push_back(cell.size());
  auto out = deltas_of(lengths);
  for (const auto& cell : cells) append(out, cell);
  return out;
}

/// DELTA_BYTE_ARRAY.
inline ByteVector prefixes_page(std::span<const ByteVector> cells) {
  std::vector<std::uint64_t> prefixes;
  std::vector<ByteVector> rests;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const auto common =
        i == 0 ? 0 : std::ranges::mismatch(cells[i], cells[i - 1]).in1 - cells[i].begin();
    prefixes.push_back(static_cast<std::uint64_t>(common));
    rests.emplace_back(cells[i].begin() + common, cells[i].end());
  }
  return joined({deltas_of(prefixes), lengths_page(rests)});
}

/// BYTE_STREAM_SPLIT.
inline ByteVector split_page(std::span<const ByteVector> cells) {
  ByteVector out;
  for (std::size_t byte = 0; !cells.empty() && byte < cells[0].size(); ++byte) {
    for (const auto& cell : cells) out.push_back(cell[byte]);
  }
  return out;
}

/// DELTA_BINARY_PACKED of int32 or int64.
inline ByteVector deltas_page(std::span<const ByteVector> cells) {
  std::vector<std::uint64_t> numbers;
  for (const auto& cell : cells) {
    std::int32_t narrow = 0;
    std::int64_t wide = 0;
    if (cell.size() == 4) {
      std::memcpy(&narrow, cell.data(), 4);
      wide = narrow;
    } else {
      std::memcpy(&wide, cell.data(), 8);
    }
    numbers.push_back(static_cast<std::uint64_t>(wide));
  }
  return deltas_of(numbers);
}

/// How to write a file.
struct ParquetForm {
  ParquetCodec codec = ParquetCodec::kNone;
  int version = 1;  ///< of data pages
  bool dictionaries = false;
  std::size_t page_rows = ~std::size_t{0};
  std::size_t group_rows = ~std::size_t{0};
  bool checksums = false;
  std::map<std::string, std::string> notes = {};
};

/// Snappy's format (https://github.com/google/snappy/blob/main/format_description.txt), in which
/// runs of equal bytes are copies and all else stands as it is.
inline ByteVector snappy_of(std::span<const std::byte> bytes) {
  ByteVector out;
  put_varint(out, bytes.size());
  const auto put_tag = [&out](std::size_t tag, std::size_t count) {
    out.push_back(static_cast<std::byte>(tag | (count - 1) << 2U));
  };
  const auto is_copy = [&](std::size_t i) {
    return i > 0 && i + 3 < bytes.size() &&
           std::ranges::all_of(bytes.subspan(i, 4), [&](auto b) { return b == bytes[i - 1]; });
  };
  for (std::size_t i = 0; i < bytes.size();) {
    std::size_t end = i;
    if (is_copy(i)) {
      while (end < bytes.size() && end - i < 64 && bytes[end] == bytes[i - 1]) ++end;
      put_tag(2, end - i);
      append(out, plain(std::uint16_t{1}));  // from the byte before
    } else {
      while (end < bytes.size() && end - i < 60 && !is_copy(end)) ++end;
      put_tag(0, end - i);
      append(out, bytes.subspan(i, end - i));
    }
    i = end;
  }
  return out;
}

inline ByteVector compressed_by(ParquetCodec codec, const ByteVector& bytes) {
  if (codec == ParquetCodec::kGzip) return gzip_member(bytes);
  if (codec == ParquetCodec::kZstd) return zstd_frame(bytes);
  return codec == ParquetCodec::kSnappy ? snappy_of(bytes) : bytes;
}

/// Writes columns to a file.
class ParquetWriter {
 public:
  ParquetWriter(const std::vector<ParquetField>& fields, const ParquetForm& form)
      : fields_(fields), form_(form) {}

  /// A file's columns, and what its footer says.
  std::pair<ByteVector, ParquetInfo> write() {
    info_.notes = form_.notes;
    put_schema();
    info_.rows = static_cast<std::int64_t>(rows());
    for (std::size_t row = 0; row < rows();) {
      const auto count = std::min(form_.group_rows, rows() - row);
      auto& group = info_.groups.emplace_back();
      group.rows = static_cast<std::int64_t>(count);
      for (const auto& field : fields_) put_field(field, row, count, group);
      row += count;
    }
    return {columns_, info_};
  }

 private:
  std::size_t rows() const {
    if (fields_.empty()) return 0;
    const auto& field = fields_.front();
    std::size_t row = 0;
    for (std::size_t cell = 0; cell < field.cells.size(); ++row) cell += cells_of(field, row);
    return row;
  }
  static std::size_t cells_of(const ParquetField& field, std::size_t row) {
    return field.list.empty() ? 1 : field.list[row % field.list.size()];
  }

  void put_schema() {
    auto& schema = info_.schema;
    schema.push_back({.name = "schema"});
    for (std::size_t i = 0; i < fields_.size();) {
      const auto dot = fields_[i].name.find('.');
      const auto group = fields_[i].name.substr(0, dot);
      ++schema[0].children;
      if (dot == std::string::npos) {
        put_element(fields_[i], fields_[i].name);
        ++i;
        continue;
      }
      const auto at = schema.size();
      schema.push_back({.name = group});
      for (; i < fields_.size() && fields_[i].name.starts_with(group + "."); ++i) {
        put_element(fields_[i], fields_[i].name.substr(dot + 1));
        ++schema[at].children;
      }
    }
  }

  void put_element(const ParquetField& field, const std::string& name) {
    ParquetElement leaf{.name = name,
                        .type = field.type,
                        .repetition = field.has_levels() ? 1 : 0,
                        .length = field.length,
                        .converted = field.converted,
                        .scale = field.scale,
                        .logical = field.logical,
                        .is_signed = field.is_signed};
    if (!field.list.empty()) {
      info_.schema.push_back({.name = name, .repetition = 1, .children = 1, .converted = 3});
      info_.schema.push_back({.name = "list", .repetition = 2, .children = 1});
      leaf.name = "element";
    }
    info_.schema.push_back(std::move(leaf));
  }

  void put_field(const ParquetField& field, std::size_t first, std::size_t rows,
                 ParquetGroupInfo& group) {
    std::size_t cell = 0;
    for (std::size_t row = 0; row < first; ++row) cell += cells_of(field, row);
    ParquetChunkInfo chunk{.type = static_cast<int>(field.type),
                           .codec = static_cast<int>(form_.codec)};
    const auto begin = columns_.size();
    std::vector<ByteVector> dictionary;
    if (form_.dictionaries && !field.encode) {
      std::size_t end = cell;
      for (std::size_t row = first; row < first + rows; ++row) end += cells_of(field, row);
      for (std::size_t i = cell; i < end; ++i) {
        if (field.cells[i] && std::ranges::find(dictionary, *field.cells[i]) == dictionary.end())
          dictionary.push_back(*field.cells[i]);
      }
      chunk.dictionary_at = static_cast<std::int64_t>(4 + begin);
      put_page(2, {}, plain_page(field.type, dictionary), [&](ThriftWriter& out) {
        out.begin(7).integer(1, static_cast<int>(dictionary.size()), ThriftWriter::kInt32);
        out.integer(2, 0, ThriftWriter::kInt32).end();
      });
    }
    chunk.at = static_cast<std::int64_t>(4 + columns_.size());
    for (std::size_t row = first; row < first + rows;) {
      const auto count = std::min(form_.page_rows, first + rows - row);
      chunk.values += static_cast<std::int64_t>(put_data(field, row, count, cell, dictionary));
      row += count;
    }
    chunk.bytes = static_cast<std::int64_t>(columns_.size() - begin);
    group.chunks.push_back(std::move(chunk));
  }

  /// One data page; returns its cells. `cell`: the first, moved behind the last.
  std::size_t put_data(const ParquetField& field, std::size_t row, std::size_t rows,
                       std::size_t& cell, const std::vector<ByteVector>& dictionary) {
    const bool list = !field.list.empty();
    const auto there = static_cast<std::uint32_t>((list ? 2 : 0) + (field.has_levels() ? 1 : 0));
    std::vector<std::uint32_t> definitions;
    std::vector<std::uint32_t> repetitions;
    std::vector<std::uint32_t> indices;
    std::vector<ByteVector> cells;
    const auto put = [&](const std::optional<ByteVector>& value, bool begins) {
      definitions.push_back(value ? there : there - 1);
      repetitions.push_back(begins ? 0 : 1);
      if (!value) return;
      cells.push_back(*value);
      indices.push_back(
          static_cast<std::uint32_t>(std::ranges::find(dictionary, *value) - dictionary.begin()));
    };
    for (std::size_t r = row; r < row + rows; ++r) {
      const auto width = cells_of(field, r);
      for (std::size_t i = 0; i < width; ++i) put(field.cells.at(cell++), i == 0);
      if (width == 0) {  // an empty list
        definitions.push_back(1);
        repetitions.push_back(0);
      }
    }
    const bool numbered = form_.dictionaries && !field.encode;
    ByteVector values;
    int encoding = field.encoding;
    if (numbered) {
      const auto width = static_cast<unsigned>(std::bit_width(dictionary.size()));
      values = joined({make_bytes({static_cast<int>(width)}), packed_of(indices, width)});
      encoding = form_.version == 1 ? 2 : 8;
    } else {
      values = field.encode ? field.encode(cells) : plain_page(field.type, cells);
    }
    ByteVector repeated;
    ByteVector defined;
    if (list) repeated = rle_of(repetitions, 1);
    if (there > 0) defined = rle_of(definitions, static_cast<unsigned>(std::bit_width(there)));
    const auto slots = definitions.size();
    if (form_.version == 1) {
      ByteVector levels;
      for (const auto* of : {&repeated, &defined}) {
        if (of->empty()) continue;
        append(levels, plain(static_cast<std::uint32_t>(of->size())));
        append(levels, *of);
      }
      put_page(0, {}, joined({levels, values}), [&](ThriftWriter& out) {
        out.begin(5).integer(1, static_cast<std::int64_t>(slots), ThriftWriter::kInt32);
        out.integer(2, encoding, ThriftWriter::kInt32).integer(3, 3, ThriftWriter::kInt32);
        out.integer(4, 3, ThriftWriter::kInt32).end();
      });
      return slots;
    }
    put_page(3, joined({repeated, defined}), values, [&](ThriftWriter& out) {
      const auto number = [](std::size_t value) { return static_cast<std::int64_t>(value); };
      out.begin(8).integer(1, number(slots), ThriftWriter::kInt32);
      out.integer(2, number(slots - cells.size()), ThriftWriter::kInt32);
      out.integer(3, number(rows), ThriftWriter::kInt32);
      out.integer(4, encoding, ThriftWriter::kInt32);
      out.integer(5, number(defined.size()), ThriftWriter::kInt32);
      out.integer(6, number(repeated.size()), ThriftWriter::kInt32).boolean(7, true).end();
    });
    return slots;
  }

  /// `levels` in front of `values` are not compressed.
  template <typename Header>
  void put_page(int kind, const ByteVector& levels, const ByteVector& values, Header header) {
    const auto stored = joined({levels, compressed_by(form_.codec, values)});
    ThriftWriter out;
    out.integer(1, kind, ThriftWriter::kInt32);
    out.integer(2, static_cast<std::int64_t>(levels.size() + values.size()), ThriftWriter::kInt32);
    out.integer(3, static_cast<std::int64_t>(stored.size()), ThriftWriter::kInt32);
    if (form_.checksums) {
      const auto crc = libdeflate_crc32(0, stored.data(), stored.size());
      out.integer(4, static_cast<std::int32_t>(crc), ThriftWriter::kInt32);
    }
    header(out);
    append(columns_, out.take());
    append(columns_, stored);
  }

  const std::vector<ParquetField>& fields_;
  const ParquetForm& form_;
  ByteVector columns_;
  ParquetInfo info_;
};

inline ByteVector parquet_of(const std::vector<ParquetField>& fields,
                             const ParquetForm& form = {}) {
  const auto [columns, info] = ParquetWriter(fields, form).write();
  return parquet_file(columns, footer_struct(info));
}

/// Bytes of one width.
inline ParquetField fixed(std::vector<ByteVector> cells, int logical, int scale = 0) {
  ParquetField field{.name = "a", .type = ParquetType::kFixedBytes, .cells = {}};
  field.length = static_cast<int>(cells.at(0).size());
  field.scale = scale;
  field.logical = logical;
  for (auto& cell : cells) field.cells.emplace_back(std::move(cell));
  return field;
}

inline ParquetField halves(std::initializer_list<std::uint16_t> bits) {
  std::vector<ByteVector> cells;
  for (const auto half : bits) cells.push_back(plain(half));
  return fixed(std::move(cells), 15);
}

inline ParquetField decimal(ParquetField field, int scale, bool converted = false) {
  field.scale = scale;
  if (converted) {
    field.converted = 5;
  } else {
    field.logical = 5;
  }
  return field;
}

}  // namespace millrace::test
