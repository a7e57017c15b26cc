#include "python/errors.h"

#include <exception>
#include <string>

#include "compute/engine.h"
#include "formats/error.h"
#include "python/keywords.h"
#include "tools/console/usage_error.h"
#include "train/trainer.h"

namespace millrace::python {
namespace py = pybind11;
namespace {

void translate_usage(std::exception_ptr error) {
  try {
    std::rethrow_exception(error);
  } catch (const UsageError& usage) {
    PyErr_SetString(PyExc_ValueError, as_keywords(usage.what()).c_str());
  }
}

}  // namespace

void define_errors(py::module_& module) {
  py::register_exception<DataError>(module, "DataError", PyExc_ValueError).doc() =
      "Bad data or failed input or output: one line names the file, the place, what was expected "
      "and what was found.";
  py::register_exception<DeviceError>(module, "DeviceError", PyExc_RuntimeError).doc() =
      "A device that is not there, not built in, or failed.";
  py::register_exception<DivergedError>(module, "DivergedError", PyExc_ArithmeticError).doc() =
      "The loss of a step was not finite.";
  py::register_exception_translator(&translate_usage);
}

}  // namespace millrace::python
