#pragma once

#include <string>

#include "tools/console/command_line.h"

namespace millrace {

/// Declares --label-column, of CSV files; `column` outlives `line`, and stays as it is where the
/// option is not given.
void declare_label_column(CommandLine& line, std::string& column);

}  // namespace millrace
