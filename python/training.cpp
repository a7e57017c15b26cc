#include "python/training.h"

#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "python/arrays.h"
#include "python/datasets.h"
#include "python/forks.h"
#include "python/gil.h"
#include "python/keywords.h"
#include "python/model.h"
#include "python/objects.h"
#include "python/run_data.h"
#include "python/run_thread.h"
#include "python/text.h"
#include "tools/trainer/metrics_records.h"
#include "tools/trainer/run_data.h"

namespace millrace::python {
namespace py = pybind11;
namespace {

// What became of a run.
struct Run {
  py::list epochs;
  py::list bad;
  py::dict summary;
  RunResult result;
  std::shared_ptr<Model> model;
};

// What is called through outlast() has no objects of Python's to let go.
bool asks_to_stop(const py::object& on_epoch, const py::object& record) {
  PyObject* made =
      outlast([&] { return PyObject_CallFunctionObjArgs(on_epoch.ptr(), record.ptr(), nullptr); });
  if (made == nullptr) throw py::error_already_set();
  const auto answer = py::reinterpret_steal<py::object>(made);
  const int truth = outlast([&] { return PyObject_IsTrue(answer.ptr()); });
  if (truth < 0) throw py::error_already_set();
  return truth != 0;
}

// Steps through the events of a run until it has ended.
FinishedRun wait_for(RunThread& thread, const py::object& on_epoch) {
  const pid_t process = getpid();
  while (true) {
    if (getpid() != process) {
      throw std::runtime_error(
          "this run belongs to the process that started it, of which on_epoch "
          "made a fork: end the fork there");
    }
    const auto event = [&] {
      const OthersRun others_run;
      return thread.wait_for(kLook);
    }();
    if (!event && thread.ended()) return thread.finish();
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    if (!event) continue;
    if (const auto* notice = std::get_if<std::string>(&*event)) {
      warn(*notice);
    } else {
      const py::object record = object_of(epoch_record(std::get<EpochResult>(*event)));
      if (asks_to_stop(on_epoch, record)) thread.stop();
    }
  }
}

Run run_of(FinishedRun finished, const Device& device) {
  Run run;
  run.result = std::move(finished.result);
  for (const EpochResult& epoch : run.result.history)
    run.epochs.append(object_of(epoch_record(epoch)));
  for (const auto& [dataset, sample] : finished.bad) {
    run.bad.append(py::make_tuple(str_of(dataset), sample.id, str_of(sample.reason)));
  }
  if (const auto count = finished.bad.size(); count > 0) {
    warn("bad samples: " + std::to_string(count) + ", which Run.bad names");
  }
  auto summary = summary_record(finished.info, run.result, {});
  for (const char* of_program : {"summary", "wall_s", "load_s", "peak_rss_mb"}) {
    summary.erase(of_program);
  }
  run.summary = object_of(summary);
  TrainedModel trained;
  trained.path = run.result.checkpoint.empty() ? "the model" : run.result.checkpoint;
  trained.spec = model_of(finished.checkpoint.state.options);
  trained.checkpoint = std::move(finished.checkpoint);
  run.model = std::make_shared<Model>(std::move(trained), device);
  return run;
}

Run train(const py::object& data, const py::object& test, const py::object& validation,
          const py::object& on_epoch, const py::kwargs& keywords) {
  if (!on_epoch.is_none() && PyCallable_Check(on_epoch.ptr()) == 0) {
    throw py::type_error("on_epoch: expected a function, found " + type_name(on_epoch));
  }
  Options options = parse_options(arguments_of(keywords, data));
  if (options.action != Options::Action::kTrain) throw py::type_error("train() trains only");
  check_options(options, data, "train()");
  if (options.repeat != 1) {
    throw py::value_error("folds, repeat: they are search()'s and the program's, not of train()");
  }
  for (const std::string& note : options.notes) warn(note);
  const OpenData all = all_data(data, test, validation, options);
  stream_if_opened_so(options, all);
  const RunSpec spec = with_validation(options, all.folder, &warn);
  auto thread = std::make_unique<RunThread>(
      spec, all.folder.train, all.folder.test,
      RunThread::Options{.tells_epochs = !on_epoch.is_none(), .replaces = options.force});
  const pid_t process = getpid();
  try {
    return run_of(wait_for(*thread, on_epoch), spec.device);
  } catch (...) {
    const OthersRun others_run;
    drop(thread, process);  // which saves a checkpoint, where there is a folder for it
    throw;
  }
}

constexpr const char* kTrainDoc =
    R"(Trains a multilayer perceptron as the program trainer does, bit for bit, and returns a Run.

    run = millrace.train("data", epochs=10)
    run = millrace.train((x, y), test=(x_test, y_test), hidden=[512, 512], optimizer="adam", lr=0.001)
    run = millrace.train((x, prices), task="regression", standardize=True)

data: a path, a data frame, a Data, a Dataset, or arrays (x, y). test, validation: a Dataset, arrays or,
beside a data frame, others; those of a Data or a path are taken where they are not given. Without validation data some samples are kept for
it: val_size of them, 10,000, or a sixth. Of task="regression" y are numbers to be learnt, [n] or
[n, targets], of task="multilabel" [n, labels], 1 for each that a sample has and else 0; a Data or
Dataset was opened for it, and needs no task here.

on_epoch: is called after each epoch with a dict of its numbers; training ends where it returns
something true. So it does by Ctrl-C. Either way a checkpoint is saved first, and resume=True goes on.

Options, by the names and with the meanings of `trainer --help`:

data: task="classification", val_size, standardize=False, shuffle=True, on_bad="fail", bad_budget=0.001; of a path or a
    data frame also
    image_size, resize, gray, rgb, label_column, one_hot, drop_columns, missing="fail"
model: hidden=[32], activation="relu", batch_norm=False, dropout=0, initializer="pytorch", init
training: epochs=10, batch=128, lr=0.5, schedule="constant", warmup=0, step_epochs=10, gamma=0.1,
    target_acc, patience=0, optimizer="sgd", momentum=0, beta1=0.9, beta2=0.999, epsilon=1e-8,
    label_smoothing=0, class_weights ("balanced", or a list), clip_norm=0, ema=0, accumulate=1,
    weight_decay=0, seed=0
of regression: loss="mse" ("mae", "huber"), standardize_targets=True, target_r2; lr=0.1
distortion of images: rotate, shift, scale, shear, elastic, elastic_sigma
machine: device="auto", threads, precision="fp32", workers, residency="auto", shuffle_window=32,
    chunk_batches, slots=3
checkpoints: checkpoint_dir, checkpoint_every=0, keep=3, resume (True, or a file), force=False
config: a TOML file of such options

What the program would say to the user comes as warnings. Raises ValueError for options that cannot
be, DataError, DeviceError, DivergedError.)";

}  // namespace

void define_training(py::module_& module) {
  py::class_<Run>(module, "Run", "What became of a training run.")
      .def_readonly(
          "epochs", &Run::epochs,
          "A dict an epoch: epoch, train_loss, train_acc, val_loss, val_acc, lr, train_s, "
          "val_s; of regression train_r2, val_r2 and val_rmse in place of accuracies. Of "
          "multilabel these are of all labels.")
      .def_readonly("model", &Run::model, "As the last epoch left it.")
      .def_property_readonly(
          "test_acc", [](const Run& run) { return run.result.test_acc; },
          "None without test data, of a run that was stopped, and of regression.")
      .def_property_readonly(
          "test_r2", [](const Run& run) { return run.result.test_r2; },
          "Of regression: 1 - squared errors / squared distances from the mean, of all targets "
          "together; else None, as test_acc.")
      .def_property_readonly(
          "test_rmse", [](const Run& run) { return run.result.test_rmse; },
          "Of one target, in its unit: the root of the mean squared error; else None.")
      .def_property_readonly("test_loss", [](const Run& run) { return run.result.test_loss; })
      .def_property_readonly(
          "stopped", [](const Run& run) { return run.result.stopped; }, "By on_epoch.")
      .def_property_readonly(
          "checkpoint",
          [](const Run& run) {
            const auto& path = run.result.checkpoint;
            return path.empty() ? std::nullopt : std::optional(path);
          },
          "The newest one written; None without checkpoint_dir.")
      .def_readonly("bad", &Run::bad,
                    "Samples that cannot be read, as (data set, number, reason); see on_bad.")
      .def_property_readonly(
          "verdict", [](const Run& run) { return str_of(run.result.verdict); },
          "One sentence: what the run was waiting for.")
      .def_readonly("summary", &Run::summary,
                    "All of it as a dict: what `trainer --metrics` ends with.");

  module.def("train", &train, py::arg("data"), py::kw_only(), py::arg("test") = py::none(),
             py::arg("validation") = py::none(), py::arg("on_epoch") = py::none(), kTrainDoc);
}

}  // namespace millrace::python
