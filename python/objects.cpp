#include "python/objects.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "python/text.h"

namespace millrace::python {
namespace py = pybind11;

py::object object_of(const nlohmann::ordered_json& json) {
  if (json.is_boolean()) return py::bool_(json.get<bool>());
  if (json.is_number_unsigned()) return py::int_(json.get<std::uint64_t>());
  if (json.is_number_integer()) return py::int_(json.get<std::int64_t>());
  if (json.is_number()) return py::float_(json.get<double>());
  if (json.is_string()) return str_of(json.get<std::string>());
  if (json.is_array()) {
    py::list list;
    for (const auto& element : json) list.append(object_of(element));
    return list;
  }
  if (json.is_object()) {
    py::dict dict;
    for (const auto& [key, value] : json.items()) dict[str_of(key)] = object_of(value);
    return dict;
  }
  return py::none();
}

}  // namespace millrace::python
