#pragma once

#include <pybind11/pybind11.h>

#include <string>
#include <vector>

namespace millrace::python {

/// Text for Python. Names of files may be any bytes: those that are not UTF-8 become what
/// os.fsdecode() makes of them.
pybind11::str str_of(const std::string& text);
pybind11::list strs_of(const std::vector<std::string>& texts);

/// The bytes of Python's text, as os.fsencode() has them. Throws UnicodeEncodeError for half a
/// character, and pybind11::value_error for one that is zero, which no path may have.
std::string bytes_of(const pybind11::handle& str);

}  // namespace millrace::python
