#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "formats/file_descriptor.h"
#include "tools/tensorboard/events.h"

namespace millrace {

/// A new file of events in a folder, for TensorBoard to watch. An event is with the system when
/// write() returns, whole or not at all: whatever ends the process leaves a file that reads to its
/// last event. What fails after the constructor is kept in error(), and drops all later events:
/// training goes on without them. Move-only.
class EventFile {
 public:
  /// Makes the folder where it is missing. Throws DataError if it, or a file in it, cannot be made.
  explicit EventFile(const std::filesystem::path& folder);

  /// See restart_event().
  void restart(std::int64_t step);
  /// `step` is what TensorBoard shows on its horizontal axis.
  void write(std::int64_t step, const Summary& summary);

  const std::filesystem::path& path() const noexcept { return path_; }
  /// One line with file and reason, empty while nothing failed.
  const std::string& error() const noexcept { return error_; }

 private:
  void append_or_keep_error(const std::string& event);
  int append(const std::string& event);  // 0, or why not, an errno

  std::filesystem::path path_;
  FileDescriptor file_;
  std::uint64_t length_ = 0;
  std::string error_;
};

}  // namespace millrace
