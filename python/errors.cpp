#include "python/errors.h"

#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

#include "compute/engine.h"
#include "formats/error.h"
#include "python/keywords.h"
#include "python/text.h"
#include "tools/console/usage_error.h"
#include "train/trainer.h"

namespace millrace::python {
namespace py = pybind11;
namespace {

// The module's own, which live as long as the process.
struct Types {
  PyObject* data = nullptr;
  PyObject* device = nullptr;
  PyObject* diverged = nullptr;
};
Types types;

PyObject* define(py::module_& module, const char* name, PyObject* base, const char* help) {
  const std::string full = module.attr("__name__").cast<std::string>() + '.' + name;
  PyObject* type = PyErr_NewExceptionWithDoc(full.c_str(), help, base, nullptr);
  if (type == nullptr) throw py::error_already_set();
  module.add_object(name, py::handle(type));
  return type;
}

void translate(std::exception_ptr error) {
  const auto raise = [](PyObject* type, const std::exception& what) {
    PyErr_SetObject(type, str_of(as_keywords(what.what())).ptr());
  };
  try {
    std::rethrow_exception(std::move(error));
  } catch (const DataError& data) {
    raise(types.data, data);
  } catch (const DeviceError& device) {
    raise(types.device, device);
  } catch (const DivergedError& diverged) {
    raise(types.diverged, diverged);
  } catch (const UsageError& usage) {
    raise(PyExc_ValueError, usage);
  } catch (const std::invalid_argument& argument) {
    raise(PyExc_ValueError, argument);
  }
}

}  // namespace

void define_errors(py::module_& module) {
  types.data =
      define(module, "DataError", PyExc_ValueError,
             "Bad data or failed input or output: one line names the file, the place, what "
             "was expected and what was found.");
  types.device = define(module, "DeviceError", PyExc_RuntimeError,
                        "A device that is not there, not built in, or failed.");
  types.diverged =
      define(module, "DivergedError", PyExc_ArithmeticError, "The loss of a step was not finite.");
  py::register_exception_translator(&translate);
}

}  // namespace millrace::python
