#pragma once

#include <functional>
#include <string>
#include <vector>

#include "formats/folder.h"
#include "tools/console/console.h"
#include "tools/trainer/options.h"

namespace millrace {

/// Trains as `options` say, and tells `console` how it goes. Returns the exit status: 0, or 1 where
/// output or metrics were lost on the way, or 128 + signal where a signal stopped the run. Throws
/// what open_folder and Trainer throw. `arguments` are the command line, program first.
int run(const Options& options, const std::vector<std::string>& arguments, Console& console);

/// Throws what run() would before it opens the data, for checkpoints of another run and for outputs
/// that cannot be written, and for a checkpoint folder that cannot, which it makes.
void check_run(const Options& options, Console& console);

/// What a caller has of a run before, and wants to know of it.
struct RunContext {
  DataFolder data;     ///< opened for its options
  std::string search;  ///< see Report
  std::function<void(const RunSpec&, const RunResult&)>
      ended;  ///< hears of each that came to its end
};

/// The same in that context.
int run_in(const RunContext& context, const Options& options,
           const std::vector<std::string>& arguments, Console& console);

}  // namespace millrace
