#pragma once

#include <string_view>

namespace millrace {

/// Writes text to a file descriptor, which it does not own, at once and whole. After the first
/// failure it drops everything: a reader that went away must not end a training run (programs that
/// use it ignore SIGPIPE).
class Output {
 public:
  explicit Output(int fd) noexcept : fd_(fd) {}

  void write(std::string_view text) noexcept;
  /// The errno of the first failure, 0 if there was none. EPIPE: nobody reads any more.
  int error() const noexcept { return error_; }
  int fd() const noexcept { return fd_; }

 private:
  int fd_;
  int error_ = 0;
};

}  // namespace millrace
