#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "formats/dataset.h"
#include "formats/memory_table.h"
#include "train/trained_model.h"

namespace millrace {

/// A CSV or a Parquet file, by the ending of its name.
bool is_table_name(const std::string& path);

struct TableSamples {
  std::shared_ptr<const Dataset> data;
  std::string unknown;  ///< see ReadTable::unknown
  bool images = false;  ///< which may be damaged each by itself
};

/// The lines of a table, or the images of a Parquet file, as samples of the kind that the model was
/// trained on, which finds their columns by the names that it knows. A column of labels may be
/// there and is not looked at: all labels are 0. Throws DataError for what the model does not take,
/// as read_csv(), read_parquet(), ParquetImages and seen_by().
TableSamples table_samples(const TrainedModel& model, const std::filesystem::path& path);

/// The same of a table in memory.
TableSamples table_samples(const TrainedModel& model, const MemoryTable& table);

/// The same as the model's engine takes them.
TableSamples open_table(const TrainedModel& model, const std::filesystem::path& path);

}  // namespace millrace
