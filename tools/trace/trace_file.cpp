#include "tools/trace/trace_file.h"

#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>

namespace millrace {
namespace {

// Numbers of the two groups that viewers call processes.
constexpr int kHost = 1;
constexpr int kDevice = 2;

// What people name files and folders may be no UTF-8, which JSON asks for.
std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// {"name":"thread_name", …}: what viewers show instead of a number.
std::string label(const char* kind, int process, std::uint64_t thread, const std::string& name) {
  return fmt::format(R"({{"name":"{}","ph":"M","pid":{},"tid":{},"args":{{"name":{}}}}})", kind,
                     process, thread, quoted(name));
}

void append(std::string& to, const StageEvent& event, int process, std::uint64_t thread) {
  const std::uint64_t duration = event.end_ns - std::min(event.begin_ns, event.end_ns);
  fmt::format_to(std::back_inserter(to),
                 R"({{"name":"{}","ph":"X","pid":{},"tid":{},"ts":{}.{:03},"dur":{}.{:03})",
                 name_of(event.stage), process, thread, event.begin_ns / 1000,
                 event.begin_ns % 1000, duration / 1000, duration % 1000);
  if (event.number != StageListener::kNoNumber) {
    fmt::format_to(std::back_inserter(to), R"(,"args":{{"number":{}}})", event.number);
  }
  to += '}';
}

}  // namespace

void write_trace(AtomicFile& file, std::span<const StageTrack> tracks, const TraceInfo& info) {
  file.write(
      fmt::format("{{\"displayTimeUnit\":\"ms\",\"otherData\":{{\"program\":{},\"command\":{},"
                  "\"dropped\":{}}},\"traceEvents\":[\n",
                  quoted(info.program), quoted(info.command), info.dropped));
  std::string text = label("process_name", kHost, 0, "host");
  bool device = false;
  for (std::size_t i = 0; i < tracks.size(); ++i) {
    const StageTrack& track = tracks[i];
    const int process = track.device ? kDevice : kHost;
    if (track.device && !device) {
      device = true;
      text += ",\n" + label("process_name", kDevice, 0, info.device);
    }
    text += ",\n" + label("thread_name", process, track.id, track.name);
    text += fmt::format(
        ",\n"
        R"({{"name":"thread_sort_index","ph":"M","pid":{},"tid":{},"args":{{"sort_index":{}}}}})",
        process, track.id, i);
    for (const StageEvent& event : track.events) {
      text += ",\n";
      append(text, event, process, track.id);
      if (text.size() > (std::size_t{64} << 10U)) {
        file.write(text);
        text.clear();
      }
    }
  }
  file.write(text);
  file.write("\n]}\n");
}

}  // namespace millrace
