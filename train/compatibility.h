#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "train/checkpoint.h"

namespace millrace {

/// What a run is, to be held against a checkpoint it wants to go on from.
struct RunIdentity {
  RunOptions options;
  std::string dataset;  ///< name of the training set, for messages
  std::string dataset_hash;
  std::uint64_t epochs = 0;
  std::uint64_t steps_per_epoch = 0;
};

/// Checks that a run that goes on from `state` ends where an uninterrupted one would. Throws
/// DataError naming `file` and every difference: "hidden: checkpoint 32, this run 64; seed: …".
/// More or fewer epochs are no difference. A learning rate, momentum or weight decay that changed,
/// or what becomes of bad samples, is allowed too, and told in the lines returned, as is a
/// checkpoint with nothing left to train.
std::vector<std::string> check_compatible(const std::filesystem::path& file, const RunState& state,
                                          const RunIdentity& run);

}  // namespace millrace
