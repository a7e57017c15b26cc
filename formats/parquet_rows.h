#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "formats/parquet_page.h"
#include "formats/table.h"

// The rows of tables in Parquet files. Users want parquet.h.

namespace millrace {

/// The columns of a table, and where in its files they are.
struct ParquetColumns {
  /// Where a column's cells are.
  struct Cell {
    std::size_t leaf = 0;   ///< of the first file
    std::size_t index = 0;  ///< in its list
  };

  std::vector<std::shared_ptr<const ParquetFile>> files;  ///< in order, all with rows
  std::string name;                                       ///< of all of them, for messages
  ReadTableOptions options;
  TableLayout layout;
  std::vector<std::size_t> asked;                ///< see form_of()
  std::vector<Cell> cells;                       ///< by column
  std::vector<std::size_t> widths;               ///< by leaf of the first file: its columns
  std::vector<std::vector<std::size_t>> leaves;  ///< by file and leaf of the first: its number
  std::vector<std::string> class_names;  ///< of labels that are numbers; none: they have none
};

/// All of them. Throws DataError as ParquetTable::read() does.
ReadTable read_rows(const ParquetColumns& table);

}  // namespace millrace
