#pragma once

#include <pybind11/pybind11.h>

namespace millrace::python {

/// Defines DataError, DeviceError and DivergedError, and turns a UsageError into a ValueError that
/// names options as Python does: "learning_rate" for "--learning-rate".
void define_errors(pybind11::module_& module);

}  // namespace millrace::python
