#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "formats/atomic_file.h"
#include "tools/trace/stage_recorder.h"

namespace millrace {

/// Of the whole trace.
struct TraceInfo {
  std::string program;        ///< what ran, with its version
  std::string command;        ///< as a shell takes it
  std::string device;         ///< that the queues belong to: "cuda:0"
  std::uint64_t dropped = 0;  ///< events that are missing
};

/// Writes a trace in the Trace Event Format, JSON that ui.perfetto.dev, chrome://tracing and
/// speedscope.app open: threads under one process, a device's queues under another, an "X" event
/// for each stage (times in microseconds), and `info` in "otherData". Does not commit the file.
/// Throws DataError.
/// https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
void write_trace(AtomicFile& file, std::span<const StageTrack> tracks, const TraceInfo& info);

}  // namespace millrace
