#pragma once

#include <functional>

#include "tools/console/console.h"
#include "tools/fetch/fetch.h"

namespace millrace {

/// fetch() with a progress bar, and a notice for each mirror that failed.
FetchResult fetch_on_console(const FetchSpec& spec, const std::function<bool()>& stopped,
                             Console& console);

}  // namespace millrace
