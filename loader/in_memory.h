#pragma once

#include <memory>

#include "formats/dataset.h"

namespace millrace {

/// `data` with all its samples in memory, for several who would each read them: the same samples,
/// labels, names and hash. `data` itself where they lie there already, and where they are neither
/// uint8 nor float32. Throws DataError for a sample that cannot be read, std::bad_alloc.
std::shared_ptr<const Dataset> in_memory(const std::shared_ptr<const Dataset>& data);

}  // namespace millrace
