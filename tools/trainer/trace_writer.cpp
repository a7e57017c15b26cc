#include "tools/trainer/trace_writer.h"

#include <fmt/format.h>

#include <utility>

#include "formats/atomic_file.h"
#include "formats/error.h"
#include "tools/console/quote.h"
#include "tools/console/version.h"
#include "tools/trace/trace_file.h"

namespace millrace {

TraceWriter::TraceWriter(std::filesystem::path path, std::vector<std::string> arguments,
                         Console& console)
    : path_(std::move(path)), arguments_(std::move(arguments)), console_(console) {
  const AtomicFile probe(path_);  // never committed: it leaves nothing
}

void TraceWriter::write(const std::string& device) {
  const auto tracks = recorder_.tracks();
  TraceInfo info;
  info.program = version_text("trainer");
  info.program.resize(info.program.find_first_of('\n'));
  info.command = shell_command(arguments_);
  info.device = device;
  info.dropped = recorder_.dropped();
  try {
    AtomicFile file(path_);
    write_trace(file, tracks, info);
    file.commit();
  } catch (const DataError& error) {
    failed_ = true;
    console_.warning(error.what());
    return;
  }
  if (info.dropped != 0) {
    console_.notice(fmt::format("the trace lacks {} stages: it keeps the first {} of each thread",
                                info.dropped, StageRecorder::kMost));
  }
  console_.line("Trace: " + path_.string());
}

}  // namespace millrace
