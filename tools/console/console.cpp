#include "tools/console/console.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "tools/console/quote.h"
#include "tools/console/terminal.h"

namespace millrace {
namespace {

// Both: where one of them goes elsewhere, what comes back to the terminal (`| tee`) would be drawn
// into the bar.
bool wants_bar(bool quiet) {
  return !quiet && is_live_terminal(STDOUT_FILENO) && is_live_terminal(STDERR_FILENO);
}

}  // namespace

Console::Console(std::string program, bool quiet)
    : program_(std::move(program)),
      quiet_(quiet),
      out_(STDOUT_FILENO),
      err_(STDERR_FILENO),
      bar_(err_, wants_bar(quiet)) {}

void Console::line(std::string_view text) {
  if (quiet_) return;
  bar_.clear();
  out_.write(std::string(text) + '\n');
  if (out_.error() == 0 || output_lost_) return;
  output_lost_ = true;
  if (out_.error() == EPIPE) {
    notice("nobody reads standard output any more; the work goes on without it");
  } else {
    warning("standard output: " + std::generic_category().message(out_.error()) +
            "; the work goes on without it");
  }
}

void Console::notice(std::string_view text) {
  if (!quiet_) say("note: ", text);
}

void Console::warning(std::string_view text) { say("warning: ", text); }

void Console::error(std::string_view text) { say("", text); }

void Console::say(std::string_view prefix, std::string_view text) {
  bar_.clear();
  err_.write(program_ + ": " + std::string(prefix) + one_line(text) + '\n');
}

int Console::output_error() const noexcept { return out_.error() == EPIPE ? 0 : out_.error(); }

}  // namespace millrace
