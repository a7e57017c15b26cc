#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "formats/dataset.h"
#include "train/trained_model.h"

namespace millrace {

/// A CSV file, by the ending of its name, compressed or not.
bool is_table_name(const std::string& path);

/// The lines of a CSV file as samples for the model, which finds their columns by the names that it
/// knows. A column of labels may be there and is not looked at: all labels are 0. Throws DataError
/// for what the model does not take, as read_csv() and seen_by().
std::shared_ptr<const Dataset> open_table(const TrainedModel& model,
                                          const std::filesystem::path& path);

}  // namespace millrace
