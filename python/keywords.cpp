#include "python/keywords.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "python/arrays.h"

namespace millrace::python {
namespace py = pybind11;
namespace {

// Options that are there or not; all others that are true or false say "on" or "off".
constexpr std::array<std::string_view, 4> kFlags{"resume", "force", "gray", "rgb"};

// The shortest text that is this number.
std::string number_text(const py::handle& value) {
  if (PyIndex_Check(value.ptr()) != 0) {
    return py::str(py::int_(py::reinterpret_borrow<py::object>(value)));
  }
  // A float of Python's own, for NumPy's call themselves by their type.
  return py::repr(py::float_(value.cast<double>()));
}

std::string text_of(const std::string& name, const py::handle& value) {
  if (py::isinstance<py::bool_>(value)) return value.cast<bool>() ? "on" : "off";
  if (py::isinstance<py::str>(value)) return value.cast<std::string>();
  if (py::hasattr(value, "__fspath__")) {
    return py::module_::import("os").attr("fspath")(value).cast<std::string>();
  }
  if (PyNumber_Check(value.ptr()) != 0 && !py::hasattr(value, "__len__")) return number_text(value);
  if (py::isinstance<py::sequence>(value)) {
    std::string list;
    for (const py::handle element : value) {
      if (!list.empty()) list += ',';
      list += text_of(name, element);
    }
    return list.empty() ? "none" : list;
  }
  throw py::type_error(name + ": expected a number, text, a path or a list of them, found " +
                       type_name(value));
}

}  // namespace

std::vector<std::string> as_arguments(const py::dict& keywords) {
  std::vector<std::string> arguments;
  for (const auto& [key, value] : keywords) {
    if (value.is_none()) continue;
    const auto name = key.cast<std::string>();
    std::string option = "--" + name;
    std::ranges::replace(option, '_', '-');
    if (std::ranges::find(kFlags, name) != kFlags.end() && py::isinstance<py::bool_>(value)) {
      if (value.cast<bool>()) arguments.push_back(option);
    } else {
      arguments.push_back(option + '=' + text_of(name, value));
    }
  }
  return arguments;
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
