#pragma once

#include <pybind11/pybind11.h>

namespace millrace::python {

/// Defines DataError, DeviceError and DivergedError. A UsageError and std::invalid_argument become
/// ValueError. Messages name options as Python does: "batch_norm" for "--batch-norm".
void define_errors(pybind11::module_& module);

}  // namespace millrace::python
