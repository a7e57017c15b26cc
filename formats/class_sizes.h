#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "formats/dataset.h"

namespace millrace {

/// How many samples each class has, [classes()]. Reads no samples: empty where the set does not
/// have its labels in memory, and where they are targets.
std::vector<std::uint64_t> class_sizes(const Dataset& data);

/// "classes 10 to 199 of 201 have no sample", for a person to judge: a label that is damaged makes
/// all classes below it. Of many ranges the first three and how many classes the rest has. Empty
/// where each class has a sample.
std::string empty_classes_text(std::span<const std::uint64_t> class_sizes);

}  // namespace millrace
