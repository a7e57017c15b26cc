#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tools/search/space.h"
#include "tools/search/trial.h"
#include "tools/trainer/options.h"

namespace millrace {

/// What "trainer search" was asked to do.
struct SearchOptions {
  std::string help;  ///< the text that was asked for; else empty, and all else is filled in
  std::vector<Axis> axes;
  std::vector<Trial> trials;       ///< without runs
  std::vector<Options> options;    ///< of the trainer, for each of them
  std::vector<std::string> words;  ///< of the command line, without the search's own
  std::uint32_t parallel = 0;      ///< trials at once; 0: see trials_at_once()
  std::filesystem::path journal;   ///< empty: none
  bool refit = true;
  std::uint64_t halving = 0;  ///< see rungs()

  /// The trainer's command for one run with a trial's options, without folds, program first.
  std::vector<std::string> command(const Trial& trial) const;
};

/// Reads the command's arguments, without its name. Throws UsageError: also for what a trial's
/// options come to, with the trial in it; DataError for a config file that cannot be read.
SearchOptions parse_search(const std::vector<std::string>& arguments);

/// "lr=0.1 hidden=64".
std::string describe(std::span<const Axis> axes, const Combination& values);

}  // namespace millrace
