#pragma once

#include "formats/dataset.h"

namespace millrace {

/// Reads all samples of a set of floats until one has a value that is not finite as float32, which
/// no training stands, and throws DataError naming the set, that sample and that element, both from
/// 0. Samples that cannot be read are passed over; of a set of integers nothing is read.
void check_finite_samples(const Dataset& data);

}  // namespace millrace
