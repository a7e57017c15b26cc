#pragma once

#include "tools/console/console.h"
#include "tools/trainer/options.h"

// Not beside opening data, which the Python package does too: it links nothing that fetches.

namespace millrace {

/// Fetches the data set of --download into the data folder, where one was asked for. A signal ends
/// the program at once: what has come so far stays, and the next run goes on from it. Throws what
/// fetch_on_console() does.
void download(const Options& options, Console& console);

}  // namespace millrace
