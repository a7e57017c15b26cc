#include "python/text.h"

namespace millrace::python {
namespace py = pybind11;

py::str str_of(const std::string& text) {
  PyObject* made =
      PyUnicode_DecodeUTF8(text.data(), static_cast<py::ssize_t>(text.size()), "surrogateescape");
  if (made == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::str>(made);
}

py::list strs_of(const std::vector<std::string>& texts) {
  py::list list;
  for (const std::string& text : texts) list.append(str_of(text));
  return list;
}

std::string bytes_of(const py::handle& str) {
  PyObject* made = PyUnicode_AsEncodedString(str.ptr(), "utf-8", "surrogateescape");
  if (made == nullptr) throw py::error_already_set();
  std::string bytes = py::reinterpret_steal<py::bytes>(made);
  if (bytes.find('\0') != std::string::npos) throw py::value_error("embedded null character");
  return bytes;
}

}  // namespace millrace::python
