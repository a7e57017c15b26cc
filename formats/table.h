#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/array.h"
#include "formats/dataset.h"
#include "formats/error.h"

// What files of tables have in common: which columns they have, and what is made of them.

namespace millrace {

/// Which columns a table has, and what each is.
struct TableLayout {
  char separator = ',';                   ///< of cells in a file of text: a comma, ';' or a tab
  std::vector<std::string> columns = {};  ///< their names, in UTF-8; empty: no header
  std::size_t cells = 0;                  ///< of each line
  std::size_t label = 0;                  ///< the column of classes, from 0; cells: there is none
  std::vector<std::size_t> targets = {};  ///< the columns of targets, from 0, in their order
  /// Where in its sample each other column's value stands; empty: where it stands in the line.
  std::vector<std::size_t> places = {};
  bool label_guessed = false;             ///< neither asked for nor known by its name
  bool labelled = true;                   ///< false: a header without a column that was asked for
  std::string missing = {};               ///< the first such column
  bool named_classes = false;             ///< the first sample's label is no number, but a name
  std::vector<std::size_t> dropped = {};  ///< columns left out, from 0, sorted
  std::vector<std::size_t> categories = {};  ///< columns of categories, from 0, sorted
  bool text_columns = false;  ///< all other columns that have text are of categories, too
  bool gaps = false;          ///< numbers and categories may be missing
  bool form_known = false;    ///< another file says what its columns become

  /// Columns of values: what a line has beside labels and what is left out.
  std::size_t values() const noexcept {
    return cells - targets.size() - (label < cells ? 1 : 0) - dropped.size();
  }
  /// Words of a label, as Dataset::label_words().
  std::size_t words() const noexcept { return targets.empty() ? 1 : targets.size(); }
  /// Of classes or targets, from 0, sorted.
  std::vector<std::size_t> label_columns() const;
  /// Those that have no value: label_columns() and dropped.
  std::vector<std::size_t> other_columns() const;
  /// Whether samples are more than the numbers of a line.
  bool is_formed() const noexcept { return text_columns || gaps || !categories.empty(); }
  /// The column, from 0, of a value that has `value` others of its line before it.
  std::size_t column_of(std::size_t value) const;
  /// The column as messages name it: "column 3 (\"price\")".
  std::string text_of(std::size_t column) const;
  /// The column as a command line may ask for it: price, or 3 where its name would need quotes.
  std::string asked_as(std::size_t column) const;
};

/// Samples that one thread reads.
struct TablePart {
  std::uint64_t first_row = 0;  ///< in the table
  std::uint64_t rows = 0;
};

/// The columns that samples are made of.
struct KnownColumns {
  ColumnNames names;         ///< none: a file without a header
  std::filesystem::path of;  ///< whose they are, for messages
};

struct ReadTableOptions {
  /// What labels are. There may be several columns of targets, and they are never guessed.
  Task task = Task::kClassification;
  /// The label's column by its name in the header or by its number, from 1; empty: one that is
  /// called label, class, target or y, in any case, else the only one in which the first sample has
  /// text, else the first.
  ///
  /// Of targets: several such names or numbers, with commas between (and in quotes where they hold
  /// commas; a name that is the whole text comes first); empty: one that is called so, else all
  /// that are with a number behind, as y1 and y2 or target_0.
  std::string label_column = {};
  /// The targets' columns, each by its name or number, where they are known; then label_column is
  /// not looked at. Empty: they are not.
  std::vector<std::string> target_columns = {};
  /// Labels are numbers and must lie below; none: one more than the largest, or they are names.
  std::optional<std::uint32_t> classes = {};
  /// Labels are names, and these; empty: those that are there, sorted by bytes, or numbers. With
  /// `classes`: they are numbers, which are called so.
  std::vector<std::string> class_names = {};
  /// The columns to be there, found by their names and in this order; where there are no names, by
  /// their places, and the file has no header either. None: the file's own.
  std::optional<KnownColumns> columns = {};
  /// Samples have so many values, and labels are of no interest: whatever stands in their columns
  /// counts as 0, and a file of so many columns has none, nor has one with a header that lacks
  /// them.
  std::optional<std::size_t> unlabelled_values = {};
  /// Samples are float32 even if all are whole numbers from 0 to 255.
  bool as_float = false;
  /// How lines become samples. Where `columns` are given, their form counts, and not this. Of what
  /// is asked for here labels are never guessed, and names_columns() says whether the first line
  /// is a header.
  TableOptions table = {};
};

struct ReadTable {
  Array samples;  ///< [lines, values], uint8 if all are whole numbers from 0 to 255, else float32
  Labels labels;
  std::vector<std::string> class_names;  ///< by label; empty: labels are numbers in the file
  ColumnNames columns;                   ///< of the samples, as of columns_of()
  /// Categories that the form does not know, of which each sample's values are 0, for a person to
  /// judge: "2 samples have …". Empty where there are none.
  std::string unknown = {};
};

/// "FILE: line 3: expected …, found …"; `line` 0: of the whole file.
DataError table_error(const std::filesystem::path& path, std::uint64_t line,
                      std::string_view expected, std::string_view found);

/// Of the file at `path`, for one that goes with it; without a header its labels' by their numbers.
KnownColumns columns_of(const std::filesystem::path& path, const TableLayout& layout);

}  // namespace millrace
