#pragma once

#include <pybind11/pybind11.h>

#include <string>

#include "formats/memory_table.h"

namespace millrace::python {

/// Whether it is a data frame: what has columns by names and can give each as a NumPy array, as
/// those of pandas and Polars and PyArrow's tables.
bool is_frame(const pybind11::handle& object);

/// Its columns, whose cells are asked of it when they are needed: with the interpreter's lock.
/// Numbers, bools, text, and objects that are such or None, pandas.NA or NaN where one is missing;
/// categories are what they are called. Of a column of lists or arrays of one length each place is
/// a column, "x[0]", "x[1]", …. `name`, for messages. Throws pybind11::value_error for columns of
/// other lengths than the first.
MemoryTable table_of(const pybind11::handle& frame, const std::string& name);

}  // namespace millrace::python
