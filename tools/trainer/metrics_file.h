#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "formats/file_descriptor.h"

namespace millrace {

/// What the lines of a MetricsFile are.
struct LineKind {
  std::string what;     ///< "metrics"
  std::string example;  ///< the beginning of such a line, for messages
  bool (*is)(const nlohmann::ordered_json& line);
};

/// A file of JSON lines of one kind, known by the first of them. A line is in the file when write()
/// returns, and whole or not at all. What fails after begin() is kept in error(), and drops all
/// later lines: training goes on without them. Move-only.
class MetricsFile {
 public:
  /// Opens the file, or makes it. Throws DataError if it cannot be written. What it holds stays. Of
  /// a named pipe it waits for the reader.
  MetricsFile(std::filesystem::path path, LineKind kind);

  /// Empties the file, which from then on is this run's alone. Throws DataError where it cannot be,
  /// begins with something else than a line of its kind, or is another run's.
  void begin();
  /// Keeps the lines that are there, but those of JSON that `goes` says it of, and one that was cut
  /// off when a process was killed. Throws DataError where it cannot, where the file begins
  /// with something else than a line of its kind or ends with something else than a line, or where
  /// it is another run's; all is kept then.
  void go_on(const std::function<bool(const nlohmann::ordered_json& line)>& goes);
  void write(const nlohmann::ordered_json& record);

  /// One line with file and reason, empty while nothing failed.
  const std::string& error() const noexcept { return error_; }

 private:
  void check_begin(std::string_view text) const;
  [[noreturn]] void refuse(std::uint64_t byte, std::string_view found) const;
  void hold() const;
  std::string content() const;
  void cut(std::uint64_t length);
  void replace(const std::string& text);

  std::filesystem::path path_;
  LineKind kind_;
  FileDescriptor file_;
  bool regular_ = false;  // neither pipe nor device: has a length
  std::uint64_t length_ = 0;
  std::string error_;
};

}  // namespace millrace
