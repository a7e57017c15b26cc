#include <pybind11/pybind11.h>

#include "python/datasets.h"
#include "python/errors.h"
#include "python/loaders.h"
#include "python/models.h"
#include "python/searching.h"
#include "python/training.h"

// What the package millrace (python/millrace/) is made of, under whose name its parts are known.
PYBIND11_MODULE(_core, module) {
  const pybind11::object own_name = module.attr("__name__");
  module.attr("__name__") = "millrace";
  module.attr("__version__") = MILLRACE_VERSION;
  millrace::python::define_errors(module);
  millrace::python::define_datasets(module);
  millrace::python::define_loaders(module);
  millrace::python::define_models(module);
  millrace::python::define_training(module);
  millrace::python::define_searching(module);
  module.attr("__name__") = own_name;
}
