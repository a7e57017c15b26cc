#include "python/models.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compute/target_units.h"
#include "formats/atomic_file.h"
#include "formats/folder.h"
#include "python/arrays.h"
#include "python/datasets.h"
#include "python/frames.h"
#include "python/gil.h"
#include "python/keywords.h"
#include "python/objects.h"
#include "python/text.h"
#include "tools/console/usage_error.h"
#include "tools/model/table_samples.h"
#include "tools/onnx/onnx_model.h"
#include "tools/trainer/device_options.h"
#include "tools/trainer/label_table.h"
#include "tools/trainer/target_table.h"
#include "train/checkpoint_dir.h"
#include "train/predictions.h"
#include "train/weights_hash.h"

namespace millrace::python {
namespace py = pybind11;
namespace {

std::shared_ptr<Model> load(const std::filesystem::path& path, const std::string& device,
                            std::uint32_t threads) {
  Device where;
  try {
    where = parse_device(device);
  } catch (const UsageError& error) {
    throw UsageError(std::string("device: ") + error.what());
  }
  where.threads = threads;
  const OthersRun others_run;
  return std::make_shared<Model>(load_model(checkpoint_meant(path)), where);
}

bool of_targets(const Model& model) { return model.trained().task() == Task::kRegression; }
bool of_labels(const Model& model) { return model.trained().task() == Task::kMultilabel; }

// The CSV file at `x`.
std::filesystem::path table_path(const py::object& x, const char* name) {
  std::filesystem::path path = path_bytes(x);
  if (!is_table_name(path)) {
    throw py::value_error(
        std::string(name) +
        ": expected arrays, a Dataset, a data frame or the path of a CSV or Parquet file, found "
        "the path " +
        path.string());
  }
  return path;
}

// Its lines, by the columns that the model knows.
Part lines_of(const Model& model, const py::object& x) {
  const auto path = table_path(x, "x");
  auto table = [&] {
    const OthersRun others_run;
    return table_samples(model.trained(), path);
  }();
  if (const auto note = matched_by_place(model.trained(), *table.data)) warn(*note);
  if (!table.unknown.empty()) warn(path.string() + ": " + table.unknown);
  const auto count = table.data->size();
  return {std::move(table.data), Subset::all(count)};
}

// The same with its labels.
std::shared_ptr<const Dataset> labelled_table(const Model& model, const py::object& data) {
  OpenOptions options;
  options.known = known_data(model.trained());
  options.task = stored_task(model.trained().task());
  const auto opened = [&] {
    if (is_frame(data)) {
      return open_memory_tables(table_of(data, "DataFrame"), nullptr, nullptr, options);
    }
    const auto path = table_path(data, "data");
    const OthersRun others_run;
    return open_folder(path, options);
  }();
  if (const auto note = matched_by_place(model.trained(), *opened.train)) warn(*note);
  if (!opened.unknown.empty()) warn(opened.unknown);
  return opened.train;
}

// The rows of a data frame, likewise.
Part rows_of(const Model& model, const py::object& x) {
  auto table = table_samples(model.trained(), table_of(x, "DataFrame"));
  if (const auto note = matched_by_place(model.trained(), *table.data)) warn(*note);
  if (!table.unknown.empty()) warn("DataFrame: " + table.unknown);
  const auto count = table.data->size();
  return {std::move(table.data), Subset::all(count)};
}

Part samples_of(const Model& model, const py::object& x) {
  if (is_path(x)) return lines_of(model, x);
  if (is_frame(x)) return rows_of(model, x);
  const MlpSpec& spec = model.trained().spec;
  const std::uint32_t targets = spec.has_targets() ? spec.classes : 0;
  const OpenDataset set = python::samples_of(x, "x", targets);
  return {set.data, Subset::all(set.data->size())};
}

Part part_of(const Model& model, const py::object& data, const std::optional<Subset>& subset) {
  const auto set = is_path(data) || is_frame(data)
                       ? labelled_table(model, data)
                       : dataset_of(data, "data", stored_task(model.trained().task())).data;
  return {set, subset.value_or(Subset::all(set->size()))};
}

std::vector<float> outputs_of(Model& model, const Part& part) {
  const OthersRun others_run;
  return model.outputs(part);
}

std::vector<float> logits_of(Model& model, const char* name, const py::object& x) {
  if (of_targets(model)) {
    throw py::value_error(std::string(name) +
                          "(): expected a model of classes, found one of targets, which predict() "
                          "gives");
  }
  return outputs_of(model, samples_of(model, x));
}

// [count, classes]
py::array matrix_of(const std::vector<float>& values, std::uint32_t classes) {
  return copy_of(DType::kFloat32, {values.size() / classes, classes}, std::span(values));
}

py::array logits(Model& model, const py::object& x) {
  return matrix_of(logits_of(model, "logits", x), model.trained().spec.classes);
}

py::array probabilities(Model& model, const py::object& x) {
  const std::uint32_t classes = model.trained().spec.classes;
  std::vector<float> values = logits_of(model, "probabilities", x);
  if (of_labels(model)) {
    std::ranges::transform(values, values.begin(),
                           [](float logit) { return static_cast<float>(sigmoid(logit)); });
    return matrix_of(values, classes);
  }
  for (auto row = values.begin(); row != values.end(); row += classes) {
    const std::vector<double> shares = softmax(std::span(row, classes));
    std::ranges::transform(shares, row, [](double share) { return static_cast<float>(share); });
  }
  return matrix_of(values, classes);
}

py::array predict(Model& model, const py::object& x) {
  const Part part = samples_of(model, x);
  if (of_targets(model)) return targets_of(outputs_of(model, part), model.trained().spec.classes);
  if (of_labels(model)) {
    const std::vector<float> logits = outputs_of(model, part);
    const std::uint32_t each = model.trained().spec.classes;
    py::array_t<bool> said({logits.size() / each, std::size_t{each}});
    std::ranges::transform(logits, said.mutable_data(), [](float logit) { return logit >= 0.0F; });
    return std::move(said);
  }
  const auto labels = [&] {
    const OthersRun others_run;
    return model.labels(part);
  }();
  return copy_of(DType::kInt32, {labels.size()}, std::span(labels));
}

py::object table_of(const Confusion& confusion) {
  if (!confusion.tabled()) return py::none();
  const std::uint32_t classes = confusion.classes();
  py::array table = make_array(DType::kUInt64, {classes, classes});
  auto* cell = static_cast<std::uint64_t*>(table.mutable_data());
  for (std::uint32_t truth = 0; truth < classes; ++truth) {
    for (std::uint32_t guess = 0; guess < classes; ++guess) *cell++ = confusion.count(truth, guess);
  }
  return table;
}

py::dict evaluate(Model& model, const py::object& data, const std::optional<Subset>& subset) {
  const Part part = part_of(model, data, subset);
  const auto found = [&] {
    const OthersRun others_run;
    return model.evaluate(part);
  }();
  py::dict dict;
  dict["loss"] = found.metrics.mean_loss();
  if (found.errors) {
    dict["r2"] = found.errors->pooled_r2(model.trained().spec.target_scales);
    dict["samples"] = found.metrics.samples;
    dict["targets"] = object_of(targets_json(*found.errors));
    return dict;
  }
  if (found.labels) {
    const py::dict scores = object_of(scores_json(*found.labels));
    for (const auto& [name, score] : scores) dict[name] = score;
    dict["samples"] = found.metrics.samples;
    dict["labels"] = object_of(labels_json(*found.labels));
    return dict;
  }
  dict["accuracy"] = found.metrics.accuracy();
  dict["samples"] = found.metrics.samples;
  dict["confusion"] = table_of(found.confusion);
  return dict;
}

py::dict parameters_of(const Model& model) {
  py::dict tensors;
  for (const Tensor& tensor : model.trained().checkpoint.parameters) {
    tensors[py::str(tensor.name)] =
        copy_of(DType::kFloat32, tensor.shape, std::span(tensor.values));
  }
  return tensors;
}

py::object standardizer_of(const Model& model) {
  const auto& by = model.trained().checkpoint.state.options.sample.standardizer;
  if (!by) return py::none();
  const std::vector<std::uint64_t> shape{by->mean.size()};
  return py::make_tuple(copy_of(DType::kFloat32, shape, std::span(by->mean)),
                        copy_of(DType::kFloat32, shape, std::span(by->deviation)));
}

py::object target_scales_of(const Model& model) {
  const auto& scales = model.trained().spec.target_scales;
  if (scales.empty()) return py::none();
  const auto array_of_all = [&](float TargetScale::*part) {
    const auto values = each_of(scales, part);
    return copy_of(DType::kFloat32, {values.size()}, std::span(values));
  };
  return py::make_tuple(array_of_all(&TargetScale::mean), array_of_all(&TargetScale::deviation));
}

void save_onnx(const Model& model, const std::filesystem::path& path) {
  const OthersRun others_run;
  const std::string bytes = onnx_model(model.trained(), {.input = stored_type(model.trained())});
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

}  // namespace

void define_models(py::module_& module) {
  py::class_<Model, std::shared_ptr<Model>>(
      module, "Model",
      "A trained network. What it is given is a Dataset, or an array [n, …shape] of samples as it "
      "was trained on.")
      .def("__repr__",
           [](const Model& model) { return "<millrace.Model " + model.trained().widths() + ">"; })
      .def_property_readonly(
          "widths", [](const Model& model) { return model.trained().spec.widths(); },
          "Of its layers, input and output included: [784, 32, 10].")
      .def_property_readonly(
          "shape",
          [](const Model& model) {
            return py::tuple(py::cast(model.trained().sample_shape().dims));
          },
          "Of one sample.")
      .def_property_readonly(
          "task", [](const Model& model) { return name_of(model.trained().task()); },
          "What it learnt of a sample: classification, its class; regression, targets; multilabel, "
          "which "
          "labels it has.")
      .def_property_readonly(
          "class_names",
          [](const Model& model) { return strs_of(model.trained().checkpoint.state.class_names); },
          "By label; empty where they have none.")
      .def_property_readonly(
          "target_names",
          [](const Model& model) {
            return strs_of(model.trained().checkpoint.state.columns.targets);
          },
          "In their order; empty where they have none.")
      .def_property_readonly(
          "target_scales", &target_scales_of,
          "(mean, std), float32 [targets] each: the network learnt (y - mean) / std, and predict() "
          "undoes that. None where it learnt targets as they are, and of classes.")
      .def_property_readonly(
          "standardizer", &standardizer_of,
          "(mean, std), float32 [features] each: it sees (x - mean) / std, and does that itself. "
          "None where it sees samples as they are, or bytes divided by 255.")
      .def("parameters", &parameters_of,
           "Copies, float32, by the names and in the layout of torch.nn.Sequential's state_dict.")
      .def(
          "weights_hash",
          [](const Model& model) { return weights_hash(model.trained().checkpoint.parameters); },
          "128 bits of all parameters, as 32 hex digits; what `trainer` prints.")
      .def("logits", &logits, py::arg("x"),
           "float32 [n, classes], without the softmax or the sigmoid. Of regression ValueError.")
      .def("probabilities", &probabilities, py::arg("x"),
           "float32 [n, classes]; rows add up to 1, but those of labels, each of which is by "
           "itself. Of regression ValueError.")
      .def(
          "predict", &predict, py::arg("x"),
          "The most probable labels, int32 [n]; of regression the targets in their own units, "
          "float32 [n], of several [n, targets]; of multilabel which labels a sample has, bool [n, "
          "labels]: those of a logit of at least 0, a probability of one half. x is an array, a "
          "Dataset, a data frame, or the path of a CSV or Parquet file, whose columns are found by "
          "their names and made what the model was trained on; labels may be there or not.")
      .def("evaluate", &evaluate, py::arg("data"), py::kw_only(), py::arg("subset") = py::none(),
           "How good it is on a Dataset, a pair of arrays (x, y), a data frame or the CSV or "
           "Parquet file at a path, or a Subset of it: a dict of "
           "loss, accuracy, samples and confusion, uint64 [truth, guess] (None of more than 1024 "
           "classes). Of regression, of loss, r2, samples and targets: for each a dict of target "
           "(its number), name (if it has one), rmse, mae, largest (error), r2, and mean and "
           "deviation of the true ones. Of multilabel, of loss, accuracy (of all labels), exact "
           "(the share of samples whose labels are all right), f1_micro, f1_macro, samples and "
           "labels: "
           "for each a dict of label (its number), name (if it has one), accuracy, precision, "
           "recall, f1, samples (that have it) and guesses; None stands for 0 / 0.")
      .def(
          "save",
          [](const Model& model, const std::filesystem::path& path) {
            save_checkpoint(path, model.trained().checkpoint);
          },
          py::arg("path"), py::call_guard<OthersRun>(),
          "Writes a checkpoint (safetensors), whole or not at all: for load(), `trainer "
          "--resume` and all that reads such files.")
      .def("save_onnx", &save_onnx, py::arg("path"),
           "Writes an ONNX model that takes samples as they are in the data set.");

  module.def("load", &load, py::arg("path"), py::kw_only(), py::arg("device") = "auto",
             py::arg("threads") = 0,
             "The Model of a checkpoint, or of a folder of them: its best, else its last. Raises "
             "DataError.");
}

}  // namespace millrace::python
