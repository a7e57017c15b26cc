#pragma once

#include <memory>
#include <vector>

#include "compute/engine.h"
#include "formats/dataset.h"
#include "loader/bad_sample.h"
#include "loader/subset.h"

namespace millrace {

/// All samples of `data`, for Engine::add_resident(). The data set's own memory where it is
/// contiguous and of that type, else a converted copy. Throws std::invalid_argument where the
/// stored type cannot become `type` (all can become float32), DataError where a sample cannot be
/// read, std::bad_alloc.
///
/// With `bad`, samples that cannot be read are no error: they are listed there by their places in
/// the set, ascending, and zeros stand for them.
ResidentSet resident_samples(const std::shared_ptr<const Dataset>& data, InputType type,
                             std::vector<BadPlace>* bad = nullptr);

/// A copy of the samples of `subset`, in its order; each block of a BlockDataset is decoded once.
/// Throws the same.
ResidentSet resident_samples(const std::shared_ptr<const Dataset>& data, const Subset& subset,
                             InputType type, std::vector<BadPlace>* bad = nullptr);

}  // namespace millrace
