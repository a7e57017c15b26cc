#pragma once

#include <vector>

#include "train/observer.h"

namespace millrace {

/// Whether `a` is a better epoch than `b`: the higher validation accuracy, or R², then the lower
/// validation loss; without validation the lower training loss. Of equals neither is better.
bool is_better(const EpochResult& a, const EpochResult& b);

/// Whether the last epoch of `history` is better than every one before it. False without epochs.
bool last_is_best(const std::vector<EpochResult>& history);

}  // namespace millrace
