#pragma once

#include <pybind11/pybind11.h>

namespace millrace::python {

/// Defines search() and the class Search.
void define_searching(pybind11::module_& module);

}  // namespace millrace::python
