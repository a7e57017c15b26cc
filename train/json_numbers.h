#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>

namespace millrace {

/// The whole number of a JSON object under `key`. get<>() would cut one that is negative, has a
/// fraction or is too large; this throws nlohmann::json::exception, as where there is none.
template <typename T>
T whole_number(const nlohmann::json& object, const char* key) {
  const nlohmann::json& value = object.at(key);
  if (!value.is_number_unsigned() ||
      value.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<T>::max()}) {
    throw nlohmann::json::type_error::create(302, "not a whole number in range", &value);
  }
  return value.get<T>();
}

}  // namespace millrace
