#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace millrace {

/// Exit statuses of the project's programs.
enum ExitStatus : int {
  kDone = 0,
  kFailed = 1,    ///< data, I/O, device or memory
  kUsage = 2,     ///< the command line
  kDiverged = 3,  ///< a loss that was not finite
};

/// Runs the body of main(): ignores SIGPIPE and SIGXFSZ, sees to it that no file is opened in the
/// place of a closed standard input, output or error, ends the process with such a line too where a
/// mapped file was cut short, and turns what `body` throws into one line "program: …" on standard
/// error and an exit status.
int run_program(const std::string& program, const std::function<int()>& body);

/// Writes `text` to standard output and returns the exit status: kFailed if it cannot be written
/// (somebody who reads no further is no failure).
int print(std::string_view text);

}  // namespace millrace
