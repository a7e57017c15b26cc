#include <pybind11/pybind11.h>

#include "formats/error.h"
#include "python/datasets.h"
#include "python/loaders.h"

PYBIND11_MODULE(millrace, module) {
  module.doc() = R"(Millrace's loader: data sets of many forms, in batches of NumPy arrays.

    import millrace

    data = millrace.open("data")
    loader = millrace.Loader(data.train, batch=128, seed=1)
    for epoch in range(10):
        for x, y in loader:     # uint8 or float32 [128, 28, 28], int32 [128]
            ...

The order of samples is a pure function of the seed; loader.position is all that is needed to go on
later with exactly the batches that are left.)";
  pybind11::register_exception<millrace::DataError>(module, "DataError", PyExc_ValueError).doc() =
      "Bad data or failed input: one line names the file, the place, what was expected and what "
      "was "
      "found.";
  millrace::python::define_datasets(module);
  millrace::python::define_loaders(module);
}
