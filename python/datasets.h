#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <memory>
#include <string>

#include "formats/dataset.h"
#include "formats/folder.h"

namespace millrace::python {

/// Python's Dataset.
struct OpenDataset {
  std::shared_ptr<const Dataset> data;
  bool streams = false;     ///< a BlockDataset, to be read in its blocks
  bool multilabel = false;  ///< opened for that: see stored_task()
};

/// Python's Data.
struct OpenData {
  DataFolder folder;
  bool streams = false;     ///< as OpenDataset
  bool multilabel = false;  ///< likewise
};

/// What may stand for a data set: a Dataset, whatever it is for, or a pair of arrays as
/// from_arrays() takes it for `task`. Throws pybind11::type_error naming the argument `name` for
/// anything else, and what from_arrays() does.
OpenDataset dataset_of(const pybind11::handle& data, const std::string& name, Task task);
/// The samples of a Dataset, or of an array [n, …shape], whose labels are all 0: classes, or so
/// many targets where they are not 0.
OpenDataset samples_of(const pybind11::handle& data, const std::string& name,
                       std::uint32_t targets);

/// Defines open(), from_arrays(), split(), and the classes Data, Dataset and Subset.
void define_datasets(pybind11::module_& module);

}  // namespace millrace::python
