#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "formats/bytes.h"
#include "formats/table.h"
#include "formats/table_labels.h"
#include "formats/table_words.h"

// What readers of tables have in common from the layout to the samples. Users want csv.h or
// parquet.h.

namespace millrace {

/// What labels are, for each part to begin with.
LabelReader label_reader(const TableLayout& layout, const ReadTableOptions& options);

/// Throws DataError where labels are wanted and the layout has none.
void refuse_unlabelled(const std::filesystem::path& path, const TableLayout& layout,
                       const ReadTableOptions& options);

/// The samples of a table and their labels, before they are one.
struct TableContent {
  Bytes samples;                     ///< [rows, values] of `dtype`; not where `words` says it
  DType dtype = DType::kFloat32;     ///< or uint8
  TableWords words = {};             ///< where layout.is_formed()
  std::vector<std::size_t> asked;    ///< see form_of()
  std::vector<LabelReader> readers;  ///< of each part
  Labels labels;                     ///< names by the numbers of their part's reader
};

/// A table of all of it. `stored`: see apply_form(). Throws DataError as form_of() and apply_form()
/// do, and for too many classes.
ReadTable finish_table(const std::filesystem::path& path, const TableLayout& layout,
                       const ReadTableOptions& options, std::span<const TablePart> parts,
                       std::uint64_t stored, TableContent content);

}  // namespace millrace
