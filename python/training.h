#pragma once

#include <pybind11/pybind11.h>

namespace millrace::python {

/// Defines train() and the class Run. After define_datasets() and define_models(), whose classes
/// they take.
void define_training(pybind11::module_& module);

}  // namespace millrace::python
