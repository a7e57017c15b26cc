#pragma once

#include "tools/console/command_line.h"
#include "tools/trainer/options.h"

namespace millrace {

/// What each option says is in `options`, as `line` and its config file had it. Throws UsageError
/// for options that do not go together, and for one that does nothing beside the others; one that a
/// recipe has and the command line leaves nothing to do becomes what it is by default, and a line
/// of `line`'s notes.
void check_options(Options& options, CommandLine& line);

}  // namespace millrace
