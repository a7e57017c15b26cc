#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "train/observer.h"

namespace millrace {

/// When a run ends before its last epoch. Looked at after each epoch, and a function of the history
/// alone: a resumed run ends where it would have ended.
struct StoppingSpec {
  float target_accuracy = 0.0F;  ///< of validation; 0: none
  std::uint64_t patience = 0;    ///< epochs without a better one (see is_better()); 0: none
  float target_r2 = 0.0F;        ///< of validation, of a regression; 0: none

  bool operator==(const StoppingSpec&) const = default;
};

/// Seconds of training and validation up to the first epoch that reached the target; none if none
/// did or there is no target.
std::optional<double> time_to_target(const StoppingSpec& spec,
                                     const std::vector<EpochResult>& history);

/// Why the run ends after `history`, in a sentence's words; none if it goes on.
std::optional<std::string> reason_to_stop(const StoppingSpec& spec,
                                          const std::vector<EpochResult>& history);

/// Whether there may be such a reason after one more epoch than `history`, whatever comes of it.
bool may_stop_next(const StoppingSpec& spec, const std::vector<EpochResult>& history);

}  // namespace millrace
