#include <pybind11/pybind11.h>

#include "python/datasets.h"
#include "python/errors.h"
#include "python/loaders.h"
#include "python/models.h"
#include "python/training.h"

PYBIND11_MODULE(millrace, module) {
  module.doc() =
      R"(Millrace: multilayer perceptrons, trained fast, and its loader for other people's loops.

    import millrace

    run = millrace.train("data", epochs=10)
    labels = run.model.predict(x)

    data = millrace.open("data")
    loader = millrace.Loader(data.train, batch=128, seed=1)
    for epoch in range(10):
        for x, y in loader:     # uint8 or float32 [128, 28, 28], int32 [128]
            ...

The order of samples is a pure function of the seed; loader.position is all that is needed to go on
later with exactly the batches that are left.)";
  millrace::python::define_errors(module);
  millrace::python::define_datasets(module);
  millrace::python::define_loaders(module);
  millrace::python::define_models(module);
  millrace::python::define_training(module);
}
