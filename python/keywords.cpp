#include "python/keywords.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string_view>
#include <utility>

#include "formats/csv_cells.h"
#include "formats/table_label_columns.h"
#include "python/arrays.h"
#include "python/text.h"

namespace millrace::python {
namespace py = pybind11;
namespace {

// Options that are there or not; all others that are true or false say "on" or "off".
constexpr std::array<std::string_view, 4> kFlags{"resume", "force", "gray", "rgb"};

// Lists of them are of columns' names and numbers.
constexpr std::array<std::string_view, 3> kColumns{"label_column", "one_hot", "drop_columns"};

constexpr std::array<std::string_view, 5> kPaths{"checkpoint_dir", "config", "init", "journal",
                                                 "resume"};

// True or False, of Python or NumPy.
bool is_bool(const py::handle& value) {
  const std::string type = type_name(value);
  return type == "bool" || type == "bool_";
}

bool truth_of(const py::handle& value) {
  return bool(py::bool_(py::reinterpret_borrow<py::object>(value)));
}

// The shortest text that is this number; nullopt of what is none, such as a complex one.
std::optional<std::string> number_text(const py::handle& value) {
  if (PyIndex_Check(value.ptr()) != 0) {
    PyObject* whole = PyNumber_Index(value.ptr());
    if (whole != nullptr) {
      return py::str(py::reinterpret_steal<py::object>(whole)).cast<std::string>();
    }
    PyErr_Clear();  // an array of no dimensions that holds a fraction
  }
  // A float of Python's own, for NumPy's call themselves by their type.
  const double number = PyFloat_AsDouble(value.ptr());
  if (number == -1 && PyErr_Occurred() != nullptr) {
    if (PyErr_ExceptionMatches(PyExc_TypeError) == 0) throw py::error_already_set();
    PyErr_Clear();
    return std::nullopt;
  }
  return py::repr(py::float_(number)).cast<std::string>();
}

// nullopt of what is neither a number, truth, text nor a path.
std::optional<std::string> scalar_text(const py::handle& value) {
  if (is_bool(value)) return truth_of(value) ? "on" : "off";
  if (is_path(value)) return path_bytes(value);
  const bool has_length = PyObject_Size(value.ptr()) >= 0;
  PyErr_Clear();  // an array of no dimensions has none, whatever its type says
  if (has_length || PyNumber_Check(value.ptr()) == 0) return std::nullopt;
  return number_text(value);
}

// Of a sequence of them, with commas.
std::optional<std::string> list_text(const std::string& name, const py::handle& values) {
  const bool is_bytes = PyObject_CheckBuffer(values.ptr()) != 0 && !py::hasattr(values, "dtype");
  if (is_bytes || !py::isinstance<py::sequence>(values)) return std::nullopt;
  const bool columns = std::ranges::find(kColumns, name) != kColumns.end();
  std::string list;
  for (const py::handle value : values) {
    auto text = scalar_text(value);
    if (!text) return std::nullopt;
    if (!list.empty()) list += ',';
    list += columns ? csv_cell(*text) : *text;
  }
  return list.empty() && !columns ? "none" : list;
}

}  // namespace

std::string argument_text(const std::string& name, const py::handle& value) {
  if (auto text = scalar_text(value)) return *std::move(text);
  if (auto text = list_text(name, value)) return *std::move(text);
  throw py::type_error(name + ": expected a number, text, a path or a list of them, found " +
                       type_name(value));
}

bool is_path(const py::handle& value) {
  return py::isinstance<py::str>(value) || py::hasattr(value, "__fspath__");
}

std::string path_bytes(const py::handle& path) {
  const py::object plain = py::module_::import("os").attr("fspath")(path);
  return bytes_of(
      py::isinstance<py::str>(plain) ? plain : py::module_::import("os").attr("fsdecode")(plain));
}

std::vector<std::string> column_names(const std::string& name, const py::handle& value) {
  if (value.is_none()) return {};
  return columns_in(argument_text(name, value));
}

std::vector<std::string> as_arguments(const py::dict& keywords) {
  std::vector<std::string> arguments;
  for (const auto& [key, value] : keywords) {
    if (value.is_none()) continue;
    const std::string name = bytes_of(key);
    std::string option = "--" + name;
    std::ranges::replace(option, '_', '-');
    const bool is_flag = std::ranges::find(kFlags, name) != kFlags.end();
    if (is_flag && is_bool(value)) {
      if (truth_of(value)) arguments.push_back(option);
    } else if (is_flag && name != "resume") {
      throw py::type_error(name + ": expected True or False, found " + type_name(value));
    } else if (std::ranges::find(kPaths, name) != kPaths.end() && !is_path(value)) {
      throw py::type_error(name + ": expected a path" + (is_flag ? ", True or False" : "") +
                           ", found " + type_name(value));
    } else {
      arguments.push_back(option + '=' + argument_text(name, value));
    }
  }
  return arguments;
}

void warn(const std::string& text) {
  if (PyErr_WarnFormat(PyExc_UserWarning, 1, "%U", str_of(as_keywords(text)).ptr()) != 0) {
    throw py::error_already_set();  // where warnings are errors
  }
}

std::string as_keywords(const std::string& message) {
  const auto is_letter = [](char c) { return std::islower(static_cast<unsigned char>(c)) != 0; };
  std::string text;
  for (std::size_t i = 0; i < message.size();) {
    // Of a word of its own, for files have all kinds of names.
    const bool begins = message.compare(i, 2, "--") == 0 && i + 2 < message.size() &&
                        is_letter(message[i + 2]) &&
                        (i == 0 || message[i - 1] == ' ' || message[i - 1] == '(');
    if (!begins) {
      text += message[i++];
      continue;
    }
    for (i += 2; i < message.size() && (is_letter(message[i]) || message[i] == '-' ||
                                        std::isdigit(static_cast<unsigned char>(message[i])) != 0);
         ++i) {
      text += message[i] == '-' ? '_' : message[i];
    }
  }
  return text;
}

}  // namespace millrace::python
