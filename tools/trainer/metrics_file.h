#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "formats/file_descriptor.h"

namespace millrace {

/// A file of JSON lines. A line is in the file when write() returns, and whole or not at all. What
/// fails after begin() is kept in error(), and drops all later lines: training goes on without
/// them. Move-only.
class MetricsFile {
 public:
  /// Opens the file, or makes it. Throws DataError if it cannot be written. What it holds stays.
  /// `what` it is, for messages.
  explicit MetricsFile(std::filesystem::path path, std::string what = "metrics");

  /// Empties the file, or keeps its lines where `append`; a line that was cut off when a process
  /// was killed goes. Throws DataError.
  void begin(bool append);
  void write(const nlohmann::ordered_json& record);

  /// One line with file and reason, empty while nothing failed.
  const std::string& error() const noexcept { return error_; }

 private:
  void check_own() const;
  std::uint64_t whole_lines() const;

  std::filesystem::path path_;
  std::string what_;
  FileDescriptor file_;
  bool regular_ = false;  // neither pipe nor device: has a length
  std::uint64_t length_ = 0;
  std::string error_;
};

}  // namespace millrace
