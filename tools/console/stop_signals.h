#pragma once

#include <atomic>
#include <string>

namespace millrace {

/// Turns SIGINT, SIGTERM and SIGHUP (unless it is ignored, as under nohup) into a flag while it
/// lives. A second signal ends the process at once, as it does by default, if it comes a second
/// later or more: one wish to stop often comes as several signals, to the process and to its group.
/// At most one exists.
///
/// Where there is nothing to save yet (First::kEndsAtOnce) it ends the process with status
/// 128 + signal, after a line on standard error that says so.
class StopSignals {
 public:
  enum class First { kEndsAtOnce, kSetsFlag };

  /// `program` is what that line begins with.
  explicit StopSignals(First first, const char* program = "millrace");
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// What the first signal does from now on.
  void set(First first) noexcept;
  const std::atomic<bool>& flag() const noexcept;
  /// The first signal that came, 0 if none did.
  int received() const noexcept;
  /// Of one that came: "stopped by SIGINT", and the exit status that shells know it by.
  std::string text() const;
  int status() const noexcept;
};

}  // namespace millrace
