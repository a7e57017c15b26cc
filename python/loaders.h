#pragma once

#include <pybind11/pybind11.h>

namespace millrace::python {

/// Defines the class Loader. After define_datasets(), whose classes it takes.
void define_loaders(pybind11::module_& module);

}  // namespace millrace::python
