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
  std::vector<Trial> trials;     ///< without runs
  std::vector<Options> options;  ///< of the trainer, for each of them
  /// Of the command line, without the search's own and what is of several runs alone: what the best
  /// one is trained with.
  std::vector<std::string> words;
  std::uint32_t parallel = 0;     ///< trials at once; 0: see trials_at_once()
  std::filesystem::path journal;  ///< empty: none
  bool refit = true;
  std::uint64_t halving = 0;       ///< see rungs()
  std::vector<std::string> notes;  ///< lines that the user should know

  /// The trainer's command for the run that follows with a trial's options, without folds, program
  /// first.
  std::vector<std::string> command(const Trial& trial) const;
  Options refit_options(const Trial& trial) const;
};

/// Reads the command's arguments, without its name. Combinations that are no options of a run (a
/// momentum with an optimizer that has none) are left out, which is a note; values that are none by
/// themselves, and no combination at all, are a UsageError. DataError for a config file that cannot
/// be read.
SearchOptions parse_search(const std::vector<std::string>& arguments);

/// "lr=0.1 hidden=64".
std::string describe(std::span<const Axis> axes, const Combination& values);

}  // namespace millrace
