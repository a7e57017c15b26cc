#pragma once

#include <pybind11/pybind11.h>

#include <nlohmann/json_fwd.hpp>

namespace millrace::python {

/// What JSON text is read as by Python: dict, list, str, int, float, bool and None.
pybind11::object object_of(const nlohmann::ordered_json& json);

}  // namespace millrace::python
