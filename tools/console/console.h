#pragma once

#include <string>
#include <string_view>

#include "tools/console/output.h"
#include "tools/console/progress_bar.h"

namespace millrace {

/// What a program says: results on standard output, all else on standard error, where every line
/// starts with the program's name. On a terminal a progress bar stands below.
class Console {
 public:
  /// `quiet`: neither results nor notices nor a bar, only errors and warnings.
  Console(std::string program, bool quiet);

  /// A line of results. When nobody reads standard output any more it says so once, and goes on.
  void line(std::string_view text);
  /// Something the user should know, in a quiet run not told.
  void notice(std::string_view text);
  /// Something the user must know.
  void warning(std::string_view text);
  void error(std::string_view text);
  void progress(const Bar& bar) { bar_.draw(bar); }
  void clear_progress() { bar_.clear(); }

  bool quiet() const noexcept { return quiet_; }
  /// The errno with which standard output failed, 0 if it did not. A closed pipe counts as none.
  int output_error() const noexcept;

 private:
  void say(std::string_view prefix, std::string_view text);

  std::string program_;
  bool quiet_;
  bool output_lost_ = false;  // and told
  Output out_;
  Output err_;
  ProgressBar bar_;
};

}  // namespace millrace
