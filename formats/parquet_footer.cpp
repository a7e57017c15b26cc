#include "formats/parquet_footer.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "formats/error.h"
#include "formats/in_quotes.h"
#include "formats/json_text.h"
#include "formats/little_endian.h"
#include "formats/thrift.h"

// The ids of fields are those of
// https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift

namespace millrace {
namespace {

using Type = ThriftReader::Type;

constexpr std::uint64_t kMostRows = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kMostNesting = 64;
constexpr std::size_t kMostNames = std::size_t{64}
                                   << 20;  // a struct's name is in those of its columns

/// An element of the schema: a leaf, or a group of others.
struct SchemaElement {
  std::optional<ParquetType> type;
  std::uint32_t length = 0;
  std::uint64_t repetition = 0;  // required, optional, repeated
  std::string_view name;
  std::uint64_t children = 0;
  std::optional<std::uint64_t> converted;  // the older way to say what values mean
  int scale = 0;
  std::int16_t logical = 0;  // which of the union LogicalType; 0: none
  bool is_signed = true;
};

void read_logical_type(ThriftReader& in, SchemaElement& element) {
  constexpr std::int16_t kDecimal = 5;
  constexpr std::int16_t kInteger = 10;
  in.read_struct([&](std::int16_t id, Type type) {
    element.logical = id;
    in.expect(type, Type::kStruct);
    in.read_struct([&](std::int16_t inner, Type found) {
      if (id == kDecimal && inner == 1) {
        element.scale = static_cast<int>(in.read_count(found, 1000));
      } else if (id == kInteger && inner == 2) {
        element.is_signed = in.read_bool(found);
      } else {
        in.skip(found);
      }
    });
  });
}

SchemaElement read_element(ThriftReader& in) {
  SchemaElement element;
  in.read_struct([&](std::int16_t id, Type type) {
    switch (id) {
      case 1:
        element.type = static_cast<ParquetType>(in.read_count(type, 7));
        break;
      case 2:
        element.length = static_cast<std::uint32_t>(in.read_count(type, 1U << 20U));
        break;
      case 3:
        element.repetition = in.read_count(type, 2);
        break;
      case 4:
        element.name = in.read_binary(type);
        break;
      case 5:
        element.children = in.read_count(type, 1U << 20U);
        break;
      case 6:
        element.converted = in.read_count(type, 1000);
        break;
      case 7:
        element.scale = static_cast<int>(in.read_count(type, 1000));
        break;
      case 10:
        in.expect(type, Type::kStruct);
        read_logical_type(in, element);
        break;
      default:
        in.skip(type);
    }
  });
  return element;
}

/// By LogicalType, or else by ConvertedType, of which newer files have both.
ParquetMeaning meaning_of(const SchemaElement& element) {
  switch (element.logical) {
    case 1:   // STRING
    case 4:   // ENUM
    case 12:  // JSON
      return ParquetMeaning::kText;
    case 5:
      return ParquetMeaning::kDecimal;
    case 6:  // DATE
    case 7:  // TIME
    case 8:  // TIMESTAMP
      return ParquetMeaning::kTime;
    case 11:  // UNKNOWN
      return ParquetMeaning::kNothing;
    case 13:  // BSON
    case 14:  // UUID
      return ParquetMeaning::kBytes;
    case 15:
      return ParquetMeaning::kHalf;
    default:
      break;
  }
  switch (element.converted.value_or(1000)) {
    case 0:   // UTF8
    case 4:   // ENUM
    case 19:  // JSON
      return ParquetMeaning::kText;
    case 5:
      return ParquetMeaning::kDecimal;
    case 6:   // DATE
    case 7:   // TIME_MILLIS
    case 8:   // TIME_MICROS
    case 9:   // TIMESTAMP_MILLIS
    case 10:  // TIMESTAMP_MICROS
    case 21:  // INTERVAL
      return ParquetMeaning::kTime;
    default:
      break;
  }
  switch (*element.type) {
    case ParquetType::kInt96:  // what timestamps were
      return ParquetMeaning::kTime;
    case ParquetType::kBytes:
    case ParquetType::kFixedBytes:
      return ParquetMeaning::kBytes;
    default:
      return ParquetMeaning::kNumber;
  }
}

bool is_list(const SchemaElement& element) {
  constexpr std::int16_t kLogicalList = 3;
  return element.logical == kLogicalList || element.converted == 3U;
}

/// UINT_8 to UINT_64, or an INTEGER that says so.
bool is_unsigned(const SchemaElement& element) {
  const auto converted = element.converted.value_or(0);
  return !element.is_signed || (converted >= 11 && converted <= 14);
}

/// Makes leaves of a schema, which is its tree written depth first.
class SchemaWalk {
 public:
  SchemaWalk(const std::filesystem::path& path, const std::vector<SchemaElement>& elements)
      : path_(path), elements_(elements) {}

  std::vector<ParquetLeaf> leaves() {
    const auto& root = next();
    for (std::uint64_t i = 0; i < root.children; ++i) walk({}, {}, Naming::kOwn, 0);
    if (at_ != elements_.size()) fail(fmt::format("{} more", elements_.size() - at_));
    return std::move(leaves_);
  }

 private:
  /// Lists have two more elements, whose names say nothing: "list" and "element".
  enum class Naming : std::uint8_t { kOwn, kRepeated, kElement };

  [[noreturn]] void fail(const std::string& found) const {
    throw DataError(path_, std::nullopt, "a schema that is one tree", found);
  }

  const SchemaElement& next() {
    if (at_ == elements_.size()) fail("one that breaks off");
    return elements_[at_++];
  }

  struct Levels {
    std::uint32_t definition = 0;
    std::uint32_t repetition = 0;
    std::uint32_t in_list = 0;
  };

  void walk(const std::string& above, Levels levels, Naming naming, std::size_t depth) {
    const auto& element = next();
    if (depth > kMostNesting) fail(fmt::format("more than {} levels", kMostNesting));
    if (element.repetition != 0) ++levels.definition;
    if (element.repetition == 2) {
      ++levels.repetition;
      levels.in_list = levels.definition;
    }
    const auto own = utf8_text(std::string(element.name));
    const bool named = naming == Naming::kOwn;
    const auto name = !named ? above : above.empty() ? own : above + '.' + own;
    if (element.children > 0) {
      auto below = is_list(element) ? Naming::kRepeated : Naming::kOwn;
      // Where a list is of structs its repeated group may be the struct, without a group between.
      if (below == Naming::kOwn && naming == Naming::kRepeated && element.children == 1) {
        below = Naming::kElement;
      }
      for (std::uint64_t i = 0; i < element.children; ++i) {
        walk(name, levels, below, depth + 1);
      }
      return;
    }
    // A group without children is a column without values.
    if (!element.type) return;
    names_ += name.size();
    if (names_ > kMostNames) fail(fmt::format("more than {} bytes of names", kMostNames));
    if (element.type == ParquetType::kFixedBytes && element.length == 0) {
      throw DataError(path_, std::nullopt, "a length of values in the schema",
                      fmt::format("none of {}", in_quotes(name)));
    }
    leaves_.push_back({.name = name,
                       .type = *element.type,
                       .meaning = meaning_of(element),
                       .length = element.length,
                       .scale = element.scale,
                       .is_unsigned = is_unsigned(element),
                       .definition = levels.definition,
                       .repetition = levels.repetition,
                       .in_list = levels.in_list});
  }

  const std::filesystem::path& path_;
  const std::vector<SchemaElement>& elements_;
  std::size_t at_ = 0;
  std::size_t names_ = 0;  // bytes
  std::vector<ParquetLeaf> leaves_;
};

/// Of a chunk, with what is checked against the schema and not kept.
struct ChunkMetadata {
  ParquetChunk chunk;
  std::optional<std::uint64_t> type;
  std::uint64_t data_at = 0;
  std::uint64_t dictionary_at = 0;  // 0: there is none
  bool elsewhere = false;
  bool encrypted = false;
};

ChunkMetadata read_chunk(ThriftReader& in) {
  ChunkMetadata found;
  const auto read_metadata = [&] {
    in.read_struct([&](std::int16_t id, Type type) {
      if (id == 1) {
        found.type = in.read_count(type, 7);
      } else if (id == 4) {
        found.chunk.codec = static_cast<ParquetCodec>(in.read_count(type, 7));
      } else if (id == 5) {
        found.chunk.values = in.read_count(type, kMostRows);
      } else if (id == 7) {
        found.chunk.bytes = in.read_count(type, kMostRows);
      } else if (id == 9) {
        found.data_at = in.read_count(type, kMostRows);
      } else if (id == 11) {
        found.dictionary_at = in.read_count(type, kMostRows);
      } else {
        in.skip(type);
      }
    });
  };
  in.read_struct([&](std::int16_t id, Type type) {
    if (id == 1) {
      found.elsewhere = !in.read_binary(type).empty();
    } else if (id == 3) {
      in.expect(type, Type::kStruct);
      read_metadata();
    } else {
      found.encrypted = found.encrypted || id == 8 || id == 9;
      in.skip(type);
    }
  });
  // Some writers say 0 where there is no dictionary.
  const bool dictionary = found.dictionary_at > 0 && found.dictionary_at < found.data_at;
  found.chunk.at = dictionary ? found.dictionary_at : found.data_at;
  return found;
}

/// Reads the footer's struct.
class FooterReader {
 public:
  FooterReader(const std::filesystem::path& path, std::span<const std::byte> file,
               std::uint64_t begin, std::uint64_t end)
      : path_(path),
        end_(begin),
        in_(path,
            file.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)),
            begin) {}

  ParquetFooter read() {
    std::vector<std::vector<ChunkMetadata>> groups;
    std::vector<std::uint64_t> rows;
    in_.read_struct([&](std::int16_t id, Type type) {
      if (id == 2) {
        in_.read_list(type, [&](Type element) {
          in_.expect(element, Type::kStruct);
          elements_.push_back(read_element(in_));
        });
      } else if (id == 3) {
        footer_.rows = in_.read_count(type, kMostRows);
      } else if (id == 4) {
        in_.read_list(type, [&](Type element) {
          in_.expect(element, Type::kStruct);
          read_group(groups.emplace_back(), rows.emplace_back());
        });
      } else if (id == 5) {
        in_.read_list(type, [&](Type element) {
          in_.expect(element, Type::kStruct);
          read_key_value();
        });
      } else {
        in_.skip(type);
      }
    });
    if (elements_.empty()) throw DataError(path_, end_, "a schema in the footer", "none");
    footer_.leaves = SchemaWalk(path_, elements_).leaves();
    for (std::size_t i = 0; i < groups.size(); ++i) add_group(groups[i], rows[i]);
    const auto end =
        footer_.groups.empty() ? 0 : footer_.groups.back().first_row + footer_.groups.back().rows;
    if (end != footer_.rows) {
      throw DataError(path_, end_, fmt::format("{} rows in the row groups", footer_.rows),
                      std::to_string(end));
    }
    return std::move(footer_);
  }

 private:
  void read_group(std::vector<ChunkMetadata>& chunks, std::uint64_t& rows) {
    in_.read_struct([&](std::int16_t id, Type type) {
      if (id == 1) {
        in_.read_list(type, [&](Type element) {
          in_.expect(element, Type::kStruct);
          chunks.push_back(read_chunk(in_));
        });
      } else if (id == 3) {
        rows = in_.read_count(type, kMostRows);
      } else {
        in_.skip(type);
      }
    });
  }

  void add_group(const std::vector<ChunkMetadata>& chunks, std::uint64_t rows) {
    const auto& leaves = footer_.leaves;
    if (chunks.size() != leaves.size()) {
      throw DataError(path_, end_, fmt::format("{} columns in each row group", leaves.size()),
                      std::to_string(chunks.size()));
    }
    ParquetRowGroup group{.first_row = 0, .rows = rows, .chunks = {}};
    if (!footer_.groups.empty()) {
      group.first_row = footer_.groups.back().first_row + footer_.groups.back().rows;
    }
    if (rows > footer_.rows - std::min(footer_.rows, group.first_row)) {
      throw DataError(path_, end_, fmt::format("{} rows in the row groups", footer_.rows), "more");
    }
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      check_chunk(chunks[i], leaves[i], rows);
      group.chunks.push_back(chunks[i].chunk);
    }
    if (rows > 0) footer_.groups.push_back(std::move(group));
  }

  void check_chunk(const ChunkMetadata& found, const ParquetLeaf& leaf, std::uint64_t rows) const {
    const auto& chunk = found.chunk;
    const auto name = in_quotes(leaf.name);
    if (found.encrypted) {
      throw DataError(path_, end_, fmt::format("a column {} that is not encrypted", name),
                      "one that is");
    }
    if (found.elsewhere) {
      throw DataError(path_, end_, fmt::format("the column {} in this file", name),
                      "that it is in another");
    }
    if (found.type != static_cast<std::uint64_t>(leaf.type)) {
      throw DataError(path_, end_,
                      fmt::format("the column {} to be stored as its schema says", name),
                      "another type");
    }
    if (chunk.at > end_ || chunk.bytes > end_ - chunk.at) {
      throw DataError(path_, end_,
                      fmt::format("the column {} in the {} bytes before the footer", name, end_),
                      fmt::format("{} bytes from byte {} on", chunk.bytes, chunk.at));
    }
    if (leaf.repetition == 0 && chunk.values != rows) {
      throw DataError(path_, end_, fmt::format("{} values in the column {}", rows, name),
                      std::to_string(chunk.values));
    }
  }

  void read_key_value() {
    std::string_view key;
    std::string_view value;
    in_.read_struct([&](std::int16_t id, Type type) {
      if (id == 1) {
        key = in_.read_binary(type);
      } else if (id == 2) {
        value = in_.read_binary(type);
      } else {
        in_.skip(type);
      }
    });
    // What other programs note for themselves is no part of the format: where it is not as it
    // should be, it says nothing.
    if (key == "pandas") note_index_columns(value);
    if (key == "huggingface") note_classes(value);
  }

  void note_index_columns(std::string_view text) {
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_object()) return;
    const auto columns = json.find("index_columns");
    if (columns == json.end() || !columns->is_array()) return;
    for (const auto& column : *columns) {
      if (column.is_string()) footer_.index_columns.push_back(column.get<std::string>());
    }
  }

  /// {"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}
  void note_classes(std::string_view text) {
    const auto json = nlohmann::json::parse(text, nullptr, false);
    // By pointers: a copy of what is nested deep takes the stack.
    const auto within = [](const nlohmann::json* in, const char* key) -> const nlohmann::json* {
      if (in == nullptr || !in->is_object()) return nullptr;
      const auto found = in->find(key);
      return found == in->end() ? nullptr : &*found;
    };
    const auto is_text = [](const nlohmann::json& value) { return value.is_string(); };
    const auto* features = within(within(&json, "info"), "features");
    if (features == nullptr || !features->is_object()) return;
    for (const auto& [column, feature] : features->items()) {
      const auto* type = within(&feature, "_type");
      const auto* names = within(&feature, "names");
      if (type == nullptr || !type->is_string() || *type != "ClassLabel") continue;
      if (names == nullptr || !names->is_array() || names->empty()) continue;
      if (!std::ranges::all_of(*names, is_text)) continue;
      footer_.classes.push_back(
          {.column = column, .names = names->get<std::vector<std::string>>()});
    }
  }

  const std::filesystem::path& path_;
  std::uint64_t end_;  // of the columns: the footer begins there
  ThriftReader in_;
  std::vector<SchemaElement> elements_;
  ParquetFooter footer_;
};

}  // namespace

ParquetFooter read_parquet_footer(const std::filesystem::path& path,
                                  std::span<const std::byte> file) {
  constexpr std::size_t kMagic = 4;
  constexpr std::size_t kTail = 8;  // the footer's length and a magic number
  const auto magic_at = [file](std::size_t at) {
    return std::string_view(reinterpret_cast<const char*>(file.data()) + at, kMagic);
  };
  if (file.size() < kMagic + kTail || magic_at(0) != "PAR1") {
    const bool encrypted = file.size() >= kMagic && magic_at(0) == "PARE";
    throw DataError(
        path, 0, R"(a Parquet file, which begins with "PAR1")",
        encrypted ? "an encrypted one" : fmt::format("another file of {} bytes", file.size()));
  }
  const auto end = file.size() - kTail;
  if (magic_at(end + kMagic) != "PAR1") {
    throw DataError(path, end + kMagic, R"("PAR1" at the end of the file)",
                    magic_at(end + kMagic) == "PARE" ? "that the footer is encrypted"
                                                     : "something else: it may have been cut off");
  }
  const std::uint64_t length = load_little_endian32(file.data() + end);
  if (length > end - kMagic) {
    throw DataError(path, end, fmt::format("a footer of at most {} bytes", end - kMagic),
                    std::to_string(length));
  }
  return FooterReader(path, file, end - length, end).read();
}

std::string describe(const ParquetLeaf& leaf) {
  switch (leaf.meaning) {
    case ParquetMeaning::kNumber:
    case ParquetMeaning::kHalf:
    case ParquetMeaning::kDecimal:
      return "numbers";
    case ParquetMeaning::kText:
      return "text";
    case ParquetMeaning::kBytes:
      return "bytes";
    case ParquetMeaning::kTime:
      return "dates or times";
    case ParquetMeaning::kNothing:
      return "nothing";
  }
  return {};
}

}  // namespace millrace
