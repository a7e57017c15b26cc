#pragma once

#include <memory>

#include "formats/dataset.h"
#include "loader/standardizer.h"

namespace millrace {

/// `data` as float32 samples that `by` has standardised, and in the same blocks where it is in
/// blocks (BlockDataset). `data` itself where `by` is null. Throws std::invalid_argument where
/// they differ in the number of features.
std::shared_ptr<const Dataset> standardized(std::shared_ptr<const Dataset> data,
                                            std::shared_ptr<const Standardizer> by);

/// What `data` standardises, where standardized() made it; else `data`.
const Dataset& unstandardized(const Dataset& data) noexcept;

}  // namespace millrace
