#pragma once

#include <pybind11/pybind11.h>

#include <string>
#include <vector>

namespace millrace::python {

/// Keyword arguments as a command line has them: lr=0.5, hidden=[64, 32], batch_norm=True,
/// resume=True, init=None as --lr=0.5, --hidden=64,32, --batch-norm=on, --resume. What is None, and
/// a flag that is False, is left out. Throws pybind11::type_error for a value that is no number,
/// text, path or sequence of such.
std::vector<std::string> as_arguments(const pybind11::dict& keywords);

/// One of them: "0.5", "64,32", "on". `name` is the keyword.
std::string argument_text(const std::string& name, const pybind11::handle& value);

/// Columns of a table as an option takes them: a name or a number, text with commas between
/// several, or a list; none of None. Throws as as_arguments().
std::vector<std::string> column_names(const std::string& name, const pybind11::handle& value);

/// Whether it is text or has os.fspath().
bool is_path(const pybind11::handle& value);
/// Its bytes, as os.fsencode() has them. Throws as bytes_of(), and what its own __fspath__ raises.
std::string path_bytes(const pybind11::handle& path);

/// Tells Python's user what a program would tell its own, in the words of Python. Throws
/// pybind11::error_already_set where warnings are errors.
void warn(const std::string& text);

/// A message on a command line in the words of Python: "batch_norm" for "--batch-norm".
std::string as_keywords(const std::string& message);

}  // namespace millrace::python
