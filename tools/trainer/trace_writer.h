#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "compute/stage.h"
#include "tools/console/console.h"
#include "tools/trace/stage_recorder.h"

namespace millrace {

/// Records the stages of a run from when it is made, and writes them to a trace file. Made before
/// the run's engine and loaders, and dropped after them.
class TraceWriter {
 public:
  /// Throws DataError if the file cannot be written, before anything is trained. `console` outlives
  /// the writer.
  TraceWriter(std::filesystem::path path, std::vector<std::string> arguments, Console& console);

  /// Replaces the file, at once and whole. What goes wrong is told as a warning. `device`: the
  /// engine's.
  void write(const std::string& device);
  bool failed() const noexcept { return failed_; }

 private:
  const std::filesystem::path path_;
  const std::vector<std::string> arguments_;
  Console& console_;
  bool failed_ = false;
  StageRecorder recorder_;
  const StageListening listening_{recorder_};
};

}  // namespace millrace
