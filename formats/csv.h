#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "formats/array.h"
#include "formats/dataset.h"

namespace millrace {

/// What a CSV file says of itself in its first lines.
struct CsvLayout {
  char separator = ',';                   ///< or ';' or a tab, where the first line has no comma
  std::vector<std::string> columns = {};  ///< names in the header, in UTF-8; empty: no header
  std::size_t cells = 0;                  ///< in each line
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

/// The columns that samples are made of.
struct CsvColumns {
  ColumnNames names;         ///< none: a file without a header
  std::filesystem::path of;  ///< whose they are, for messages
};

struct CsvOptions {
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
  /// Labels are names, and these; empty: those that are there, sorted by bytes, or numbers.
  std::vector<std::string> class_names = {};
  /// The columns to be there, found by their names and in this order; where there are no names, by
  /// their places, and the file has no header either. None: the file's own.
  std::optional<CsvColumns> columns = {};
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

struct CsvSamples {
  Array samples;  ///< [lines, values], uint8 if all are whole numbers from 0 to 255, else float32
  Labels labels;
  std::vector<std::string> class_names;  ///< by label; empty: labels are numbers in the file
  ColumnNames columns;                   ///< of the samples, as of columns_of()
  /// Categories that the form does not know, of which each sample's values are 0, for a person to
  /// judge: "2 samples have …". Empty where there are none.
  std::string unknown = {};
};

/// The header, or what can be said without one: the first line that is not blank is a header if one
/// of its cells is no number. Where it is one alone, and the second line has no number there
/// either, that may be a class's name: then the line is a header if that cell is the name of the
/// labels' column, or that column is another, or the other cells count 0, 1, 2, … or 1, 2, 3, ….
/// Throws DataError: an empty file, fewer than two columns, a label_column that is not there (where
/// there is a header and a name was asked for, labelled is false instead), two columns that may be
/// it, targets that are not said, said twice or all there is, other columns than options.columns
/// (where labelled is true, or labels are of no interest), lines that end in "\r" alone; columns of
/// options.table that are not there, are asked for twice, have labels, or leave none; labels that
/// are not said where it asks for anything.
CsvLayout read_csv_layout(const std::filesystem::path& path, const CsvOptions& options = {});

/// Of the file at `path`, for one that goes with it; without a header its labels' by their numbers.
CsvColumns columns_of(const std::filesystem::path& path, const CsvLayout& layout);

/// Reads comma-separated values (RFC 4180) of numbers, a sample a line, by several threads; plain,
/// gzip or zstd. Classes are numbers, or names, as the first sample's is; never both. Targets are
/// finite numbers, rounded to the nearest float32.
/// Lines end in "\n" or "\r\n"; blank ones are left out; cells may be in quotes, but hold no line
/// breaks; a byte order mark in front is skipped. The result does not depend on the number of
/// threads.
///
/// With options.table, or options.columns that have a form, samples are float32, made of the form:
/// see TableForm. It is a pure function of the lines.
///
/// Throws DataError naming line and column, both from 1: a cell that is no finite number, a class
/// that is not whole, negative or outside the classes, a name where labels are numbers, a number
/// where they are names, a line of another number of cells; no
/// labels, no lines, compressed content of more than 256 times its size (and 256 MiB); and what
/// find_text_columns(), form_of() and apply_form() throw.
CsvSamples read_csv(const std::filesystem::path& path, const CsvOptions& options = {});

}  // namespace millrace
