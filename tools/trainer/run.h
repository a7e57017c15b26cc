#pragma once

#include <string>
#include <vector>

#include "tools/console/console.h"
#include "tools/trainer/options.h"

namespace millrace {

/// Trains as `options` say, and tells `console` how it goes. Returns the exit status: 0, or 1 where
/// output or metrics were lost on the way, or 128 + signal where a signal stopped the run. Throws
/// what open_folder and Trainer throw. `arguments` are the command line, program first.
int run(const Options& options, const std::vector<std::string>& arguments, Console& console);

}  // namespace millrace
