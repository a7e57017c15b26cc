#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace millrace {

/// A data file that is cut short while it is mapped loses the pages behind its new end, wherever
/// they are read (SIGBUS). From now on that ends the process, with `status` and a line on standard
/// error that names the file: nothing that was going on can go on.
void end_for_lost_files(const std::string& program, int status);

/// The file that `line` of /proc/self/maps says is mapped at `address`, as it stands there (a line
/// break in its name is \012); empty where it says nothing of it. For signal handlers, too.
std::string_view file_mapped_at(std::uintptr_t address, std::string_view line) noexcept;

}  // namespace millrace
