#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "formats/array.h"

namespace millrace {

/// What a CSV file says of itself in its first line.
struct CsvLayout {
  char separator = ',';              ///< or ';' or a tab, where the first line has no comma
  std::vector<std::string> columns;  ///< names in the header; empty: no header
  std::size_t cells = 0;             ///< in each line
  std::size_t label = 0;             ///< the column of labels, from 0
  bool labelled = true;              ///< false: a header without the column that was asked for
};

struct CsvOptions {
  /// The label's column by its name in the header or by its number, from 1; empty: one that is
  /// called label, class, target or y, in any case, else the first.
  std::string label_column = {};
  /// Labels must lie below; none: one more than the largest.
  std::optional<std::uint32_t> classes = {};
  /// Samples are float32 even if all are whole numbers from 0 to 255.
  bool as_float = false;
};

struct CsvSamples {
  Array
      samples;  ///< [lines, cells - 1], uint8 if all are whole numbers from 0 to 255, else float32
  Labels labels;
};

/// The header, or what can be said without one: the first line that is not blank is a header if one
/// of its cells is no number. Throws DataError: an empty file, fewer than two columns, a
/// label_column that is not there (where there is a header and a name was asked for, labelled is
/// false instead).
CsvLayout read_csv_layout(const std::filesystem::path& path, const CsvOptions& options = {});

/// Reads comma-separated values (RFC 4180) of numbers, a sample a line, by several threads; plain,
/// gzip or zstd. Lines end in "\n" or "\r\n"; blank ones are left out; cells may be in quotes, but
/// hold no line breaks; a byte order mark in front is skipped. The result does not depend on the
/// number of threads.
///
/// Throws DataError naming line and column, both from 1: a cell that is no finite number, a label
/// that is not whole, negative or outside the classes, a line of another number of cells; no
/// labels, no lines, compressed content of more than 256 times its size (and 256 MiB).
CsvSamples read_csv(const std::filesystem::path& path, const CsvOptions& options = {});

}  // namespace millrace
