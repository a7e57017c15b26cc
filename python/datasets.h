#pragma once

#include <pybind11/pybind11.h>

#include <memory>

#include "formats/dataset.h"

namespace millrace::python {

/// Python's Dataset.
struct OpenDataset {
  std::shared_ptr<const Dataset> data;
  bool streams = false;  ///< a BlockDataset, to be read in its blocks
};

/// Defines open(), split(), and the classes Data, Dataset and Subset.
void define_datasets(pybind11::module_& module);

}  // namespace millrace::python
