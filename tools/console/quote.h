#pragma once

#include <span>
#include <string>
#include <string_view>

namespace millrace {

/// `word` as a POSIX shell takes it back for one word (XCU 2.2, "Quoting"): as it is where nothing
/// in it is special, otherwise in single quotes.
std::string shell_quote(std::string_view word);

/// The words of a command, quoted, with spaces between.
std::string shell_command(std::span<const std::string> words);

/// `text` on one line: line breaks and other control characters as \n, \t, \x1b. File names may
/// hold anything.
std::string one_line(std::string_view text);

}  // namespace millrace
