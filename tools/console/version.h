#pragma once

#include <string>

namespace millrace {

/// What --version prints, several lines: the version and the revision it was configured from, the
/// compiler, the libraries in use and the instruction sets that this machine lets the kernels use.
std::string version_text(const std::string& program);

}  // namespace millrace
