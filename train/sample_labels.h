#pragma once

#include <vector>

#include "formats/dataset.h"

// Of --task multilabel: targets that say whether a sample has a label.

namespace millrace {

/// Throws DataError, naming the first sample and its label, unless all targets of `data` are 0 or
/// 1, and std::invalid_argument where they are not at hand.
void check_sample_labels(const Dataset& data);

/// Which share of the samples has each label, [targets].
std::vector<double> label_shares(const Dataset& data);

/// The mean loss where each label is given the share of samples that have it: what is reached
/// without looking at them. Natural logarithm.
double guessing_loss_of_labels(const std::vector<double>& shares);

}  // namespace millrace
