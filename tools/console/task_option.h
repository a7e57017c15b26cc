#pragma once

#include "formats/dataset.h"
#include "tools/console/command_line.h"

namespace millrace {

/// Declares --task, what labels are; `task` outlives `line`, and stays as it is where the option is
/// not given.
void declare_task(CommandLine& line, Task& task);
/// The same where nothing but how labels are stored matters: `task` is a stored_task().
void declare_stored_task(CommandLine& line, Task& task);

}  // namespace millrace
