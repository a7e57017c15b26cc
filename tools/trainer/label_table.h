#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "train/label_scores.h"

namespace millrace {

/// For people, at most 80 columns wide: how many labels are right, and a line a label, of very many
/// the first alone.
std::string render_labels(const LabelScores& scores);

/// The same for programs: an object of what is of all labels together, and an object a label. What
/// is not defined is null.
nlohmann::ordered_json scores_json(const LabelScores& scores);
nlohmann::ordered_json labels_json(const LabelScores& scores);

}  // namespace millrace
