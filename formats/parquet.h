#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "formats/parquet_page.h"
#include "formats/parquet_rows.h"
#include "formats/table.h"

namespace millrace {

/// Tables in Parquet files (https://parquet.apache.org/docs/file-format/), one after the other, a
/// sample a row. Columns are found by their names, as those of a CSV file with a header (csv.h):
/// which has labels, which are left out, which are of categories. Of a list of numbers, which must
/// be as long in each row, each place is a column of its own, "pixels[0]", "pixels[1]", …; what is
/// asked of the list is asked of all of them, and what is asked of a struct of what is in it. The
/// column that pandas made of its index is none, but where it is asked for.
///
/// Numbers are rounded to the nearest float32; bools are 0 and 1; text is read as a CSV file's
/// cell, without quotes. What is null or NaN is missing. Samples are uint8 where all columns of
/// values are whole numbers, and all of those from 0 to 255.
///
/// Pages may be compressed by Snappy, gzip or zstd; their checksums are checked where they have
/// some. Neither samples nor errors depend on the number of threads.
class ParquetTable {
 public:
  /// `files`: in order, one at least. Throws DataError: what ParquetFile throws, columns that are
  /// not the same in all files, columns that are no numbers, bools or text and not left out, and
  /// what find_columns() throws.
  ParquetTable(const std::vector<std::filesystem::path>& files, const ReadTableOptions& options);
  /// Of files that are open.
  ParquetTable(std::vector<std::shared_ptr<const ParquetFile>> files,
               const ReadTableOptions& options);

  const TableLayout& layout() const noexcept { return columns_.layout; }
  /// Columns of an index, which are none of the layout's.
  const std::vector<std::string>& index_columns() const noexcept { return index_columns_; }
  /// The names of classes that the label's column has in the files; empty: none.
  const std::vector<std::string>& class_names() const noexcept { return columns_.class_names; }

  /// All rows. Throws DataError naming file, sample and column as read_csv() does line and column,
  /// and as read_column() does.
  ReadTable read() const;

 private:
  bool is_dropped(const std::string& name) const;
  bool is_index(const std::string& name) const;
  void refuse_label_lists() const;
  void find_cells();
  ReadTableOptions options_of_lists() const;
  void find_layout();
  void find_others();
  void refuse_types() const;

  ParquetColumns columns_;
  std::vector<std::string> index_columns_;
};

/// The first cell of a leaf of text that is there, without blanks around it; a number of any other.
/// Precondition: the file has rows.
std::string first_text(const ParquetFile& file, std::size_t leaf);

/// The names of classes that files keep for the numbers in a column; none: they keep none. Throws
/// DataError where they differ.
std::vector<std::string> class_names_in(
    const std::vector<std::shared_ptr<const ParquetFile>>& files, const std::string& column);

/// Whether a column of that name has labels: it is there, and holds more than -1, which stands for
/// those that nobody is to see. Throws DataError as read_column() does.
bool has_labels(const std::vector<std::shared_ptr<const ParquetFile>>& files,
                const std::string& column);

/// What ParquetTable makes of `files`.
ReadTable read_parquet(const std::vector<std::filesystem::path>& files,
                       const ReadTableOptions& options = {});

}  // namespace millrace
