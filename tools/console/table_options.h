#pragma once

#include "formats/table_form.h"
#include "tools/console/command_line.h"

namespace millrace {

/// Declares --one-hot, --drop-columns and --missing, of CSV files; `table` outlives `line`, and
/// stays as it is where none is given.
void declare_table(CommandLine& line, TableOptions& table);

}  // namespace millrace
