#include "formats/parquet_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "formats/bytes.h"
#include "formats/csv_cells.h"
#include "formats/error.h"
#include "formats/in_quotes.h"
#include "formats/on_all_cores.h"
#include "formats/parquet_cells.h"
#include "formats/parquet_numbers.h"
#include "formats/table_columns.h"
#include "formats/table_read.h"
#include "formats/text_numbers.h"

namespace millrace {
namespace {

/// Bytes of a sample that a thread fills together. Neighbours of a row lie in one cache line, and
/// columns far apart in the file.
constexpr std::size_t kTileBytes = 64;
/// Cells that a thread holds for that.
constexpr std::uint64_t kTileCells = std::uint64_t{1} << 23;
/// Of a list that is all of a sample: cells that are worth a thread.
constexpr std::uint64_t kPieceCells = std::uint64_t{1} << 20;

/// Room for values, which stays for the next ones.
template <typename T>
class Scratch {
 public:
  /// `count` values; those that were there stay where they are if there is room already.
  std::span<T> values(std::size_t count) {
    if (count * sizeof(T) > bytes_.size()) bytes_ = Bytes::allocate(count * sizeof(T));
    return {data(), count};
  }
  T* data() noexcept { return reinterpret_cast<T*>(bytes_.writable().data()); }

 private:
  Bytes bytes_;
};

/// What a thread needs for one tile after the other.
template <typename T>
struct Room {
  std::vector<Scratch<T>> columns;
  Bytes page;
};

/// Numbers of texts by where they stand, for as long as they stay there.
class KnownTexts {
 public:
  explicit KnownTexts(bool used) : texts_(used ? kTexts : 0) {}

  std::optional<std::int32_t> find(std::string_view text) const noexcept {
    if (texts_.empty()) return std::nullopt;
    const auto& known = texts_[slot_of(text)];
    const bool same = known.text.data() == text.data() && known.text.size() == text.size();
    return same && text.data() != nullptr ? std::optional(known.number) : std::nullopt;
  }
  void add(std::string_view text, std::int32_t number) noexcept {
    if (!texts_.empty()) texts_[slot_of(text)] = {.text = text, .number = number};
  }

 private:
  struct Known {
    std::string_view text;
    std::int32_t number = 0;
  };
  static constexpr std::size_t kTexts = 1024;

  static std::size_t slot_of(std::string_view text) noexcept {
    // Neighbours in a dictionary are some bytes apart.
    const auto at = reinterpret_cast<std::uintptr_t>(text.data());
    return static_cast<std::size_t>((at ^ at >> 10U) % kTexts);
  }

  std::vector<Known> texts_;
};

/// Reads all row groups of all files.
class Reading {
 public:
  explicit Reading(const ParquetColumns& table) : table_(table), layout_(table.layout) {
    std::uint64_t first = 0;
    for (std::size_t f = 0; f < table.files.size(); ++f) {
      const auto& footer = table.files[f]->footer();
      stored_ += table.files[f]->bytes().size();
      for (std::size_t g = 0; g < footer.groups.size(); ++g) {
        const auto& group = footer.groups[g];
        parts_.push_back(
            {.file = f, .group = g, .first_row = first + group.first_row, .rows = group.rows});
      }
      first += footer.rows;
    }
    rows_ = first;
    find_places();
    label_texts_.resize(parts_.size());
    category_texts_.resize(parts_.size());
    for (auto& texts : category_texts_) texts.resize(layout_.categories.size());
  }

  ReadTable read() {
    const auto options = named(table_.options);
    const auto readers = label_reader(layout_, options);
    TableContent content{.samples = {},
                         .asked = table_.asked,
                         .readers = std::vector<LabelReader>(parts_.size(), readers),
                         .labels = {.values = std::vector<std::int32_t>(rows_ * layout_.words()),
                                    .targets = static_cast<std::uint32_t>(layout_.targets.size())}};
    find_labels();
    if (layout_.is_formed()) {
      auto& words = content.words;
      words.columns = layout_.values();
      words.words.resize(rows_ * layout_.values());
      words.readers.assign(parts_.size(),
                           {layout_.categories.size(), layout_.gaps, layout_.form_known});
      (void)read_values(words.words.data(), words.readers.data(), content);
    } else {
      content.dtype = DType::kUInt8;
      if (!may_be_bytes() || !read_as<std::uint8_t>(content)) {
        content.dtype = DType::kFloat32;
        (void)read_as<float>(content);
      }
    }
    std::vector<TablePart> parts;
    for (const auto& part : parts_)
      parts.push_back({.first_row = part.first_row, .rows = part.rows});
    return finish_table(table_.name, layout_, options, parts, stored_, std::move(content));
  }

 private:
  /// A row group.
  struct Part {
    std::size_t file = 0;
    std::size_t group = 0;
    std::uint64_t first_row = 0;  // in the table
    std::uint64_t rows = 0;
  };
  /// A column's place in a sample.
  struct Place {
    std::size_t column = 0;
    std::size_t index = 0;  // in the leaf's list
    std::size_t place = 0;
    std::optional<std::size_t> categories;  // its number among layout.categories
  };
  struct LeafPlaces {
    std::size_t leaf = 0;
    std::vector<Place> places;
  };

  /// Options for labels that are numbers with names in the file, or for others.
  ReadTableOptions named(ReadTableOptions options) const {
    const auto& names = table_.class_names;
    const bool classes = options.task == Task::kClassification && !options.unlabelled_values;
    if (!classes || names.empty() || (options.class_names.empty() && options.classes)) {
      return options;
    }
    if (!options.class_names.empty() && options.class_names != names) {
      throw DataError(
          table_.name, std::nullopt, "the classes that are known, in their order",
          fmt::format("others: {} and {} more", in_quotes(names.front()), names.size() - 1));
    }
    options.class_names = names;
    options.classes = static_cast<std::uint32_t>(names.size());
    return options;
  }

  void find_places() {
    std::size_t next = 0;
    for (std::size_t value = 0; value < layout_.values(); ++value) {
      const auto column = layout_.column_of(value);
      const auto& cell = table_.cells[column];
      Place place{.column = column,
                  .index = cell.index,
                  .place = layout_.places.empty() ? value : layout_.places[value],
                  .categories = {}};
      if (next < layout_.categories.size() && layout_.categories[next] == column) {
        place.categories = next++;
      }
      if (leaves_.empty() || leaves_.back().leaf != cell.leaf) {
        leaves_.push_back({.leaf = cell.leaf, .places = {}});
      }
      leaves_.back().places.push_back(place);
    }
  }

  bool may_be_bytes() const {
    if (table_.options.as_float) return false;
    for (const auto& part : parts_) {
      for (const auto& leaf : leaves_) {
        if (!is_whole_leaf(leaf_of(part, leaf.leaf))) return false;
      }
    }
    return true;
  }

  const ParquetFile& file_of(const Part& part) const { return *table_.files[part.file]; }
  const ParquetLeaf& leaf_of(const Part& part, std::size_t leaf) const {
    return file_of(part).footer().leaves[table_.leaves[part.file][leaf]];
  }
  /// Of the first sample of a part in its file.
  std::uint64_t first_of(const Part& part) const {
    return file_of(part).footer().groups[part.group].first_row;
  }

  const ParquetChunk& chunk_of(const Part& part, std::size_t leaf) const {
    return file_of(part).footer().groups[part.group].chunks[table_.leaves[part.file][leaf]];
  }

  /// Before memory is taken for them.
  void check_slots(const Part& part, std::size_t leaf) const {
    const auto width = table_.widths[leaf];
    const auto slots = chunk_of(part, leaf).values;
    if (slots / width != part.rows || slots % width != 0) {
      throw uneven(part, leaf_of(part, leaf), width);
    }
  }

  ParquetCells cells_of(const Part& part, std::size_t leaf) const {
    check_slots(part, leaf);
    const auto width = table_.widths[leaf];
    const auto& of = leaf_of(part, leaf);
    ParquetCells cells(of, read_column(file_of(part), of, chunk_of(part, leaf)));
    const auto& begins = cells.column().begins;
    // A column without levels that say otherwise begins a row with each cell.
    const bool even = begins.empty() ? width == 1 : begins_evenly(begins, width);
    if (!even) throw uneven(part, of, width);
    return cells;
  }

  static bool begins_evenly(const std::vector<std::uint8_t>& begins, std::size_t width) {
    for (std::size_t i = 0; i < begins.size(); ++i) {
      if ((begins[i] != 0) != (i % width == 0)) return false;
    }
    return true;
  }

  DataError uneven(const Part& part, const ParquetLeaf& leaf, std::size_t width) const {
    return {file_of(part).path(), std::nullopt,
            fmt::format("{} value{} of {} in each row", width, width == 1 ? "" : "s",
                        in_quotes(leaf.name)),
            fmt::format("another number in samples {} to {}", first_of(part),
                        first_of(part) + part.rows - 1)};
  }

  /// What a place of a list, or a column, is to a label: a word of it.
  struct LabelPlace {
    std::optional<std::size_t> column;
    std::size_t word = 0;
  };

  /// Of a list of labels all places are read in one go.
  void find_labels() {
    if (table_.options.unlabelled_values) return;
    const auto add = [this](std::size_t column, std::size_t word) {
      const auto& cell = table_.cells[column];
      auto& places = labels_[cell.leaf];
      places.resize(table_.widths[cell.leaf]);
      places[cell.index] = {.column = column, .word = word};
    };
    if (layout_.label < layout_.cells) add(layout_.label, 0);
    for (std::size_t i = 0; i < layout_.targets.size(); ++i) add(layout_.targets[i], i);
  }

  void read_label(std::size_t p, std::size_t leaf, const std::vector<LabelPlace>& places,
                  TableContent& content) {
    const auto& part = parts_[p];
    const auto cells = cells_of(part, leaf);
    auto& reader = content.readers[p];
    auto* to = content.labels.values.data() + part.first_row * layout_.words();
    std::optional<std::uint64_t> bad;
    const auto put = [&](std::uint64_t i, const auto& read) {
      const auto& place = places[i % places.size()];
      if (!place.column) return;
      const std::optional<std::int32_t> label = read();
      if (!label && !bad) bad = i;
      to[i / places.size() * layout_.words() + place.word] = label.value_or(0);
    };
    if (cells.is_text()) {
      const auto of_cell = [&reader](std::string_view cell) { return reader.read(cell); };
      cells.for_texts([&](std::uint64_t i, std::string_view text) {
        put(i, [&] { return label_texts_[p].number_of(text, of_cell); });
      });
    } else {
      cells.for_numbers(
          [&](std::uint64_t i, double number) { put(i, [&] { return reader.read(number); }); });
    }
    if (!bad) return;
    const auto column = *places[*bad % places.size()].column;
    const auto found = cells.text_of(*bad);
    const auto* other =
        column == layout_.label && layout_.label_guessed ? " (--label-column names another)" : "";
    throw sample_error(file_of(part).path(), first_of(part) + *bad / places.size(),
                       fmt::format("{} in {}{}", reader.expected(), layout_.text_of(column), other),
                       cell_in_words(found) + std::string(reader.advice(found)));
  }

  template <typename T>
  bool read_as(TableContent& content) {
    auto bytes = Bytes::allocate(static_cast<std::size_t>(rows_) * layout_.values() * sizeof(T));
    if (!read_values(reinterpret_cast<T*>(bytes.writable().data()), nullptr, content)) return false;
    content.samples = std::move(bytes);
    return true;
  }

  /// Some leaves of a part; or of one, whose lists are whole samples, a piece.
  struct Tile {
    std::size_t part = 0;
    std::size_t first = 0;  // of leaves_
    std::size_t last = 0;
    std::optional<ParquetPiece> piece;
  };

  /// A list has all values of a sample, in their order.
  bool one_list_is_all() const {
    if (leaves_.size() != 1 || table_.widths[leaves_[0].leaf] != leaves_[0].places.size()) {
      return false;
    }
    const auto& places = leaves_[0].places;
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (places[i].index != i || places[i].place != i || places[i].categories) return false;
    }
    return true;
  }

  /// `size`: bytes of a value.
  std::vector<Tile> tiles(std::size_t size) const {
    std::vector<Tile> tiles;
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      if (one_list_is_all()) {
        check_slots(parts_[p], leaves_[0].leaf);
        for (auto& piece :
             cut_chunk(file_of(parts_[p]), chunk_of(parts_[p], leaves_[0].leaf), kPieceCells)) {
          tiles.push_back({.part = p, .first = 0, .last = 1, .piece = std::move(piece)});
        }
        continue;
      }
      // All of them as large, so that no core waits for another's.
      const auto values = std::max<std::size_t>(layout_.values(), 1);
      const auto limit =
          std::clamp<std::uint64_t>(kTileCells / parts_[p].rows, 1, kTileBytes / size);
      const auto count =
          std::max<std::uint64_t>((values + limit - 1) / limit, parts_.size() > 1 ? 1 : 2);
      const auto most = (values + count - 1) / count;
      for (std::size_t leaf = 0; leaf < leaves_.size();) {
        Tile tile{.part = p, .first = leaf, .last = leaf, .piece = {}};
        for (std::size_t places = 0; tile.last < leaves_.size() && places < most; ++tile.last) {
          places += leaves_[tile.last].places.size();
        }
        leaf = tile.last;
        tiles.push_back(std::move(tile));
      }
    }
    return tiles;
  }

  /// False where a cell is no T, but may be another type; a float always is one.
  template <typename T>
  bool read_values(T* to, CategoryReader* categories, TableContent& content) {
    const auto all = tiles(sizeof(T));
    std::atomic<bool> other_type = false;
    // Labels come first, and once: another type of values makes no others of them.
    const auto labels = labels_read_ ? 0 : parts_.size();
    labels_read_ = true;
    on_all_cores(labels + all.size(), labels + all.size(), [&] {
      // Of each thread, used again for its next tile: fresh memory costs as much as reading.
      return [&, room = Room<T>()](std::size_t t) mutable {
        if (t < labels) {
          for (const auto& [leaf, places] : labels_) read_label(t, leaf, places, content);
          return;
        }
        if (other_type.load(std::memory_order_relaxed)) return;
        const auto& tile = all[t - labels];
        auto* reader = categories == nullptr ? nullptr : categories + tile.part;
        const bool read =
            tile.piece ? read_piece(tile, room, to) : read_tile(tile, reader, room, to);
        if (!read) other_type = true;
      };
    });
    return !other_type;
  }

  /// The values of some leaves of a part.
  template <typename T>
  bool read_tile(const Tile& tile, CategoryReader* categories, Room<T>& room, T* to) {
    auto& columns = room.columns;
    const auto& part = parts_[tile.part];
    const auto leaves = std::span(leaves_).subspan(tile.first, tile.last - tile.first);
    if (columns.size() < leaves.size()) columns.resize(leaves.size());
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      if (!read_leaf(tile.part, leaves[i], categories, room.page, columns[i])) return false;
    }
    const auto width = layout_.values();
    auto* samples = to + part.first_row * width;
    // A few rows at a time, of which all cache lines fit in the first cache.
    constexpr std::uint64_t kRows = 64;
    for (std::uint64_t first = 0; first < part.rows; first += kRows) {
      const auto last = std::min(part.rows, first + kRows);
      for (std::size_t i = 0; i < leaves.size(); ++i) {
        const auto list = table_.widths[leaves[i].leaf];
        for (const auto& place : leaves[i].places) {
          const auto* from = columns[i].data() + place.index;
          for (auto row = first; row < last; ++row) {
            samples[row * width + place.place] = from[row * list];
          }
        }
      }
    }
    return true;
  }

  template <typename T>
  bool read_piece(const Tile& tile, Room<T>& room, T* to) {
    const auto& part = parts_[tile.part];
    const auto first = part.first_row * layout_.values() + tile.piece->first;
    return read_numbers_of(part, leaves_[0], *tile.piece, room.page,
                           std::span(to + first, static_cast<std::size_t>(tile.piece->slots)));
  }

  /// All numbers of a leaf.
  template <typename T>
  bool read_numbers_of(const Part& part, const LeafPlaces& leaf, Bytes& page, Scratch<T>& to) {
    check_slots(part, leaf.leaf);
    const auto& chunk = chunk_of(part, leaf.leaf);
    const auto values = to.values(static_cast<std::size_t>(chunk.values));
    for (const auto& piece : cut_chunk(file_of(part), chunk, chunk.values)) {
      const auto at = static_cast<std::size_t>(piece.first);
      const auto count = static_cast<std::size_t>(piece.slots);
      if (!read_numbers_of(part, leaf, piece, page, values.subspan(at, count))) return false;
    }
    return true;
  }

  template <typename T>
  bool read_leaf(std::size_t p, const LeafPlaces& leaf, CategoryReader* categories, Bytes& page,
                 Scratch<T>& to) {
    const auto is_category = [](const Place& place) { return place.categories.has_value(); };
    if (!std::ranges::all_of(leaf.places, is_category) &&
        !read_numbers_of(parts_[p], leaf, page, to)) {
      return false;
    }
    if constexpr (std::is_same_v<T, float>) {
      if (std::ranges::any_of(leaf.places, is_category)) {
        const auto cells = cells_of(parts_[p], leaf.leaf);
        put_categories(p, cells, leaf, *categories,
                       to.values(static_cast<std::size_t>(cells.size())));
      }
    }
    return true;
  }

  template <typename T>
  bool read_numbers_of(const Part& part, const LeafPlaces& leaf, const ParquetPiece& piece,
                       Bytes& page, std::span<T> to) {
    const auto width = table_.widths[leaf.leaf];
    const auto& of = leaf_of(part, leaf.leaf);
    const auto read =
        read_numbers(file_of(part), of, chunk_of(part, leaf.leaf).codec, piece, width, to, page);
    if (!read.even) throw uneven(part, of, width);
    if constexpr (std::is_same_v<T, std::uint8_t>) {
      return !read.bad;
    } else {
      auto bad = read.bad;
      if (!layout_.gaps) {
        const auto missing =
            std::ranges::find_if(to, [](float value) { return std::isnan(value); });
        const auto slot = static_cast<std::uint64_t>(missing - to.begin());
        if (missing != to.end()) bad = std::min(bad.value_or(slot), slot);
      }
      if (bad) throw no_number(part, leaf, piece.first + *bad);
      return true;
    }
  }

  void put_categories(std::size_t p, const ParquetCells& cells, const LeafPlaces& leaf,
                      CategoryReader& reader, std::span<float> to) {
    std::vector<const Place*> places(table_.widths[leaf.leaf]);
    for (const auto& place : leaf.places) {
      if (place.categories) places[place.index] = &place;
    }
    // What a dictionary has is the same text wherever it comes again, of one place or of several.
    KnownTexts known(places.size() == 1 && cells.is_text());
    const auto put = [&](std::uint64_t i, const auto& text_of) {
      const auto* place = places[i % places.size()];
      if (place == nullptr) return;
      const auto& text = text_of();
      const auto index = *place->categories;
      if (const auto number = known.find(text)) {
        to[i] = std::bit_cast<float>(*number);
        return;
      }
      const auto number = category_texts_[p][index].number_of(
          text, [&](std::string_view cell) { return reader.read(index, cell); });
      if (!number) {
        throw sample_error(
            file_of(parts_[p]).path(), first_of(parts_[p]) + i / places.size(),
            fmt::format("{} in {}", reader.expected(), layout_.text_of(place->column)),
            cell_in_words(text) + (is_csv_missing(without_blanks(text))
                                       ? cell_advice(text, place->column, layout_)
                                       : ""));
      }
      to[i] = std::bit_cast<float>(*number);
      known.add(text, *number);
    };
    if (cells.is_text()) {
      cells.for_texts(
          [&](std::uint64_t i, std::string_view text) { put(i, [&] { return text; }); });
    } else {
      cells.for_stored([&](std::uint64_t i, const auto* stored) {
        put(i, [&] { return stored == nullptr ? std::string() : cells.stored_text(*stored); });
      });
    }
  }

  /// `slot`: of the part.
  DataError no_number(const Part& part, const LeafPlaces& leaf, std::uint64_t slot) const {
    const auto width = table_.widths[leaf.leaf];
    const auto place = std::ranges::find(leaf.places, slot % width, &Place::index);
    const auto column = place == leaf.places.end() ? leaf.places.front().column : place->column;
    const auto found = cells_of(part, leaf.leaf).text_of(slot);
    return sample_error(file_of(part).path(), first_of(part) + slot / width,
                        fmt::format("a finite number in {}", layout_.text_of(column)),
                        cell_in_words(found) + cell_advice(found, column, layout_));
  }

  const ParquetColumns& table_;
  const TableLayout& layout_;
  std::vector<Part> parts_;
  std::uint64_t rows_ = 0;
  std::uint64_t stored_ = 0;
  std::vector<LeafPlaces> leaves_;                         // in the order of columns
  std::map<std::size_t, std::vector<LabelPlace>> labels_;  // by leaf
  bool labels_read_ = false;
  std::vector<TextNumbers> label_texts_;                  // by part
  std::vector<std::vector<TextNumbers>> category_texts_;  // by part and column of categories
};

}  // namespace

ReadTable read_rows(const ParquetColumns& table) { return Reading(table).read(); }

}  // namespace millrace
