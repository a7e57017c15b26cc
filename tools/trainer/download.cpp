#include "tools/trainer/download.h"

#include "tools/fetch/fetch_on_console.h"

namespace millrace {

void download(const Options& options, Console& console) {
  if (options.download.empty()) return;
  FetchSpec spec;
  spec.source = source_called(options.download, known_sources());
  spec.folder = options.data;
  fetch_on_console(
      spec, [] { return false; }, console);
}

}  // namespace millrace
