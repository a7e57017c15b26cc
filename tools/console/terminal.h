#pragma once

#include <cstddef>

namespace millrace {

/// Whether `fd` is a terminal that can redraw a line (not TERM=dumb).
bool is_live_terminal(int fd);

/// Columns of the terminal `fd`: what it says, else the variable COLUMNS, else 80.
std::size_t terminal_columns(int fd);

/// Whether the user's locale writes UTF-8 (LC_ALL, LC_CTYPE, LANG, the first that is set).
bool terminal_takes_utf8();

}  // namespace millrace
