#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "formats/dataset.h"
#include "train/trained_model.h"

namespace millrace {

/// A CSV file, by the ending of its name, compressed or not.
bool is_table_name(const std::string& path);

struct TableSamples {
  std::shared_ptr<const Dataset> data;
  std::string unknown;  ///< see TableSamples::unknown
};

/// The lines of a CSV file as samples of the kind that the model was trained on, which finds their
/// columns by the names that it knows. A column of labels may be there and is not looked at: all
/// labels are 0. Throws DataError for what the model does not take, as read_csv() and seen_by().
TableSamples table_samples(const TrainedModel& model, const std::filesystem::path& path);

/// The same as the model's engine takes them.
TableSamples open_table(const TrainedModel& model, const std::filesystem::path& path);

}  // namespace millrace
