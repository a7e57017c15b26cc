#pragma once

#include <stdexcept>
#include <string>

namespace millrace {

/// Of what a caller asks for. Throws std::invalid_argument(message) unless `condition` holds.
inline void require(bool condition, const std::string& message) {
  if (!condition) throw std::invalid_argument(message);
}

}  // namespace millrace
