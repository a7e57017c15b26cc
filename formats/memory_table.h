#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "formats/folder.h"
#include "formats/table.h"

namespace millrace {

/// A column of a table that is in memory. Cells are asked for when it is known that they are
/// needed, on the thread that asked for the table.
struct MemoryColumn {
  enum class Kind : std::uint8_t {
    kNumbers,
    kWhole,  ///< numbers that are stored as whole ones
    kBools,
    kText,
    kOther  ///< no values of samples, and no labels
  };
  std::string name;
  Kind kind = Kind::kNumbers;
  std::string other = {};  ///< what cells of kOther are, for messages
  /// Of numbers, [rows]: NaN where one is missing.
  std::function<std::vector<double>()> numbers = {};
  /// Of text, the first so many of them, [at most rows].
  std::function<std::vector<std::optional<std::string>>(std::uint64_t most)> texts = {};
};

/// A table of rows, as a data frame is one. A row is a sample.
struct MemoryTable {
  std::string name;  ///< for messages: "DataFrame"
  std::uint64_t rows = 0;
  std::vector<MemoryColumn> columns = {};
};

/// Which columns have labels, are left out, and so on, by their names, as of ParquetTable. Throws
/// DataError as find_columns() does, and for columns of kOther that are not left out.
TableLayout memory_table_layout(const MemoryTable& table, const ReadTableOptions& options);

/// The samples of a table: the same, to the bit, as those of a Parquet file that has its columns as
/// float64, whole numbers, bools and text. Throws DataError as ParquetTable::read() does.
ReadTable read_memory_table(const MemoryTable& table, const ReadTableOptions& options = {});

/// A data set of tables, as open_folder() opens one of files; `test` and `validation` may be null.
/// Throws DataError as that does.
DataFolder open_memory_tables(const MemoryTable& train, const MemoryTable* test,
                              const MemoryTable* validation, const OpenOptions& options);

}  // namespace millrace
