#pragma once

#include <pybind11/pybind11.h>

#include <memory>

#include "python/model.h"

namespace millrace::python {

/// Defines the class Model, and load(). After define_datasets(), whose classes they take.
void define_models(pybind11::module_& module);

}  // namespace millrace::python
