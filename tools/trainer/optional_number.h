#pragma once

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

// Numbers that are not there everywhere, as a precision of what was never guessed.

namespace millrace {

/// "0.9438"; "-" where there is none.
inline std::string share_text(const std::optional<double>& share) {
  return share ? fmt::format("{:.4f}", *share) : "-";
}

/// For programs; null where there is none.
inline nlohmann::ordered_json json_of(const std::optional<double>& number) {
  return number ? nlohmann::ordered_json(*number) : nlohmann::ordered_json();
}

}  // namespace millrace
