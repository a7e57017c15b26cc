#include "python/datasets.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <cstdint>
#include <filesystem>
#include <numeric>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "formats/array_dataset.h"
#include "formats/folder.h"
#include "loader/subset.h"
#include "python/arrays.h"
#include "python/frames.h"
#include "python/gil.h"
#include "python/keywords.h"
#include "python/text.h"

namespace millrace::python {
namespace py = pybind11;
namespace {

using Ids = py::array_t<std::uint64_t, py::array::c_style | py::array::forcecast>;

ImageChannels channels_of(const std::optional<int>& channels) {
  if (!channels) return ImageChannels::kAsStored;
  if (*channels == 1) return ImageChannels::kGray;
  if (*channels == 3) return ImageChannels::kRgb;
  throw std::invalid_argument("channels: expected 1 (grey) or 3 (RGB), found " +
                              std::to_string(*channels));
}

Task parse_task(const std::string& name) {
  if (const auto task = task_called(name)) return *task;
  throw std::invalid_argument(
      "task: expected 'classification', 'regression' or 'multilabel', found '" + name + "'");
}

bool parse_missing(const std::string& policy) {
  if (policy == "fail" || policy == "mean") return policy == "mean";
  throw std::invalid_argument("missing: expected 'fail' or 'mean', found '" + policy + "'");
}

OpenData open(const py::object& data, const std::string& task, bool stream,
              const std::optional<std::pair<std::uint32_t, std::uint32_t>>& size,
              const std::optional<int>& channels, const std::string& label, bool tolerant,
              const py::object& one_hot, const py::object& drop_columns,
              const std::string& missing) {
  OpenOptions options;
  if (size) options.image.resize = ImageSize{.width = size->second, .height = size->first};
  options.image.channels = channels_of(channels);
  const Task meant = parse_task(task);
  options.task = stored_task(meant);
  options.label_column = label;
  options.in_blocks = stream;
  options.tolerant = tolerant;
  options.own_validation = true;
  options.table = {.one_hot = column_names("one_hot", one_hot),
                   .dropped = column_names("drop_columns", drop_columns),
                   .fill_missing = parse_missing(missing)};
  if (is_frame(data)) {
    return {open_memory_tables(table_of(data, "DataFrame"), nullptr, nullptr, options), false,
            meant == Task::kMultilabel};
  }
  if (!is_path(data)) {
    throw py::type_error("path: expected a path or a DataFrame, found " + type_name(data));
  }
  const std::filesystem::path path = path_bytes(data);
  const OthersRun others_run;
  return {open_folder(path, options), stream, meant == Task::kMultilabel};
}

std::optional<OpenDataset> part_of(const OpenData& data,
                                   std::shared_ptr<const Dataset> DataFolder::*part) {
  const auto& set = data.folder.*part;
  if (!set) return std::nullopt;
  return OpenDataset{set, data.streams, data.multilabel};
}

py::tuple shape_of(const OpenDataset& set) {
  const auto& dims = set.data->shape().dims;
  py::tuple shape(dims.size());
  for (std::size_t i = 0; i < dims.size(); ++i) shape[i] = dims[i];
  return shape;
}

py::tuple read(const OpenDataset& set, const py::object& numbers) {
  const auto array = py::module_::import("numpy").attr("asarray")(numbers).cast<py::array>();
  const char kind = array.dtype().kind();
  if (array.size() > 0 && kind != 'u' && kind != 'i') {
    throw py::type_error("ids: expected whole numbers, found an array of " +
                         py::str(array.dtype()).cast<std::string>());
  }
  const Ids ids(array);
  if (ids.ndim() != 1) throw std::invalid_argument("ids: expected one dimension");
  const auto count = static_cast<std::uint64_t>(ids.size());
  py::array samples = make_array(set.data->dtype(), dims_of(count, set.data->shape()));
  py::array labels = make_labels(*set.data, count);
  const std::span<const std::uint64_t> wanted(ids.data(), count);
  const std::span<std::byte> room(static_cast<std::byte*>(samples.mutable_data()),
                                  count * set.data->sample_bytes());
  const std::span<std::int32_t> words(static_cast<std::int32_t*>(labels.mutable_data()),
                                      count * set.data->label_words());
  {
    const OthersRun others_run;
    set.data->read(wanted, room, words);
  }
  return py::make_tuple(samples, labels);
}

py::str text_of(const OpenDataset& set) {
  return str_of("<millrace.Dataset " + set.data->name() + ": " + std::to_string(set.data->size()) +
                " samples, " + describe_samples(*set.data) + ", " + describe_labels(*set.data) +
                ">");
}

using Names = std::vector<std::string>;

void check_names(Task task, const Names& class_names, const Names& target_names) {
  const auto refuse = [](const char* names, const char* wanted, Task found) {
    throw std::invalid_argument(std::string(names) + ": expected task='" + wanted +
                                "' with them, found '" + name_of(found) + "'");
  };
  if (task != Task::kClassification && !class_names.empty()) {
    refuse("class_names", "classification", task);
  }
  if (task == Task::kClassification && !target_names.empty()) {
    refuse("target_names", "regression' or 'multilabel", task);
  }
}

OpenDataset from_arrays(const py::handle& x, const py::handle& y, Task task, Names class_names,
                        Names target_names) {
  check_names(task, class_names, target_names);
  const Array samples = array_of(x, "x");
  const Array labels = array_of(y, "y");
  std::optional<std::uint32_t> classes;
  if (!class_names.empty()) classes = static_cast<std::uint32_t>(class_names.size());
  array_sample_shape(samples);  // says what is wrong with them before labels are counted
  Labels each = array_labels(samples, labels, classes, stored_task(task));
  if (!target_names.empty() && target_names.size() != each.targets) {
    throw std::invalid_argument("target_names: expected " + std::to_string(each.targets) +
                                ", one for each target, found " +
                                std::to_string(target_names.size()));
  }
  ColumnNames columns;
  columns.targets = std::move(target_names);
  return {std::make_shared<const ArrayDataset>(samples, std::move(each), std::move(class_names),
                                               std::move(columns)),
          false, task == Task::kMultilabel};
}

py::array ids_of(const Subset& subset) {
  py::array ids = make_array(DType::kUInt64, {subset.size()});
  const std::span<std::uint64_t> room(static_cast<std::uint64_t*>(ids.mutable_data()),
                                      subset.size());
  std::iota(room.begin(), room.end(), std::uint64_t{0});
  subset.map(room, room);
  return ids;
}

}  // namespace

OpenDataset dataset_of(const py::handle& data, const std::string& name, Task task) {
  if (py::isinstance<OpenDataset>(data)) return data.cast<OpenDataset>();
  if (py::isinstance<py::tuple>(data) && py::len(data) == 2) {
    const auto pair = data.cast<py::tuple>();
    return from_arrays(pair[0], pair[1], task, {}, {});
  }
  throw py::type_error(name + ": expected a Dataset or a pair of arrays (x, y), found " +
                       type_name(data));
}

OpenDataset samples_of(const py::handle& data, const std::string& name, std::uint32_t targets) {
  if (py::isinstance<OpenDataset>(data)) return data.cast<OpenDataset>();
  const Array samples = array_of(data, name);
  array_sample_shape(samples);
  Labels none{.values = {}, .classes = targets == 0 ? 1U : 0U, .targets = targets};
  none.values.resize(samples.dims[0] * none.words());
  return {std::make_shared<const ArrayDataset>(samples, std::move(none))};
}

void define_datasets(py::module_& module) {
  py::class_<OpenDataset>(module, "Dataset", "Labelled samples of one shape and type.")
      .def("__len__", [](const OpenDataset& set) { return set.data->size(); })
      .def("__repr__", &text_of)
      .def_property_readonly("shape", &shape_of, "Of one sample: (28, 28).")
      .def_property_readonly(
          "dtype", [](const OpenDataset& set) { return dtype_of(set.data->dtype()); },
          "Of the samples as they are stored.")
      .def_property_readonly(
          "task",
          [](const OpenDataset& set) {
            return name_of(set.multilabel ? Task::kMultilabel : set.data->task());
          },
          "What is learnt of a sample: classification, its class; regression, numbers; multilabel, "
          "which labels it has.")
      .def_property_readonly(
          "classes", [](const OpenDataset& set) { return set.data->classes(); },
          "Labels are below it; 0 where they are targets.")
      .def_property_readonly(
          "class_names", [](const OpenDataset& set) { return strs_of(set.data->class_names()); },
          "By label; empty where they have none.")
      .def_property_readonly(
          "targets", [](const OpenDataset& set) { return set.data->targets(); },
          "Numbers that are to be learnt of each sample; 0 where labels are classes.")
      .def_property_readonly(
          "target_names",
          [](const OpenDataset& set) { return strs_of(set.data->column_names().targets); },
          "In their order; empty where they have none.")
      .def_property_readonly(
          "column_names",
          [](const OpenDataset& set) { return strs_of(set.data->column_names().values); },
          "Of a table with a header: what the values of a sample are called; else empty.")
      .def_property_readonly(
          "name", [](const OpenDataset& set) { return str_of(set.data->name()); },
          "The file or folder that it came from.")
      .def(
          "hash", [](const OpenDataset& set) { return set.data->hash(); },
          py::call_guard<OthersRun>(),
          "128 bits of shape, type, samples and labels, as 32 hex digits: equal for equal content, "
          "whatever form it is stored in.")
      .def("read", &read, py::arg("ids"),
           "Copies of these samples, as stored, and their labels: ([n, …shape], int32 [n]; of "
           "targets float32 [n], of several [n, targets]). Raises DataError where one cannot be "
           "read, IndexError where there is none.");

  py::class_<OpenData>(module, "Data", "The data sets that lie together.")
      .def_property_readonly("train",
                             [](const OpenData& data) { return part_of(data, &DataFolder::train); })
      .def_property_readonly(
          "test", [](const OpenData& data) { return part_of(data, &DataFolder::test); },
          "None where there is none.")
      .def_property_readonly(
          "validation", [](const OpenData& data) { return part_of(data, &DataFolder::validation); },
          "Of data that bring one along; else None: see split().")
      .def_property_readonly("description",
                             [](const OpenData& data) { return str_of(data.folder.description); })
      .def("__repr__", [](const OpenData& data) {
        return str_of("<millrace.Data " + data.folder.description + ">");
      });

  module.def(
      "open", &open, py::arg("path"), py::kw_only(), py::arg("task") = "classification",
      py::arg("stream") = false, py::arg("size") = py::none(), py::arg("channels") = py::none(),
      py::arg("label") = "", py::arg("tolerant") = false, py::arg("one_hot") = py::none(),
      py::arg("drop_columns") = py::none(), py::arg("missing") = "fail",
      R"(Opens what `trainer --data` does: a folder or file of IDX, images, NumPy, safetensors, CSV,
Parquet, CIFAR, WebDataset or shards, plain or compressed; or a data frame of pandas or Polars, or
a table of PyArrow, a sample a row.

task: what is to be learnt of a sample: "classification", its class; "regression", numbers; or
"multilabel", which labels it has, numbers that are 0 or 1.
stream: to be read block by block, in little memory whatever its size.
size, channels: (height, width), and 1 or 3, that images are made to.
label: the column of a table that has the labels; of several targets all, with commas between.
one_hot: columns of a table that have categories, by names or numbers from 1, each of which
becomes a value that is 0 or 1; "text" stands for all columns that have text.
drop_columns: those to leave out. missing: "mean" has a cell that is missing be its column's mean,
and adds a value that says so.
tolerant: opens although some samples cannot be read; see Loader's on_bad.

Raises DataError.)");

  module.def(
      "from_arrays",
      [](const py::object& x, const py::object& y, const std::string& task, Names class_names,
         Names target_names) {
        return from_arrays(x, y, parse_task(task), std::move(class_names), std::move(target_names));
      },
      py::arg("x"), py::arg("y"), py::kw_only(), py::arg("task") = "classification",
      py::arg("class_names") = Names{}, py::arg("target_names") = Names{},
      R"(The Dataset of samples x [n, …shape], of any type of number, and labels y [n], whole numbers
from 0. Classes are as many as there are names, or else one more than the largest label.

task="regression": y [n] or [n, targets] are numbers that are to be learnt, of any type, finite;
each becomes the nearest float32. task="multilabel": likewise 1 or True for each label that a sample
has, and else 0, [n, labels].

x is not copied where it lies in one piece: it must not change while the Dataset is in use.)");

  py::class_<Subset>(module, "Subset", "Some of a data set's samples.")
      .def("__len__", &Subset::size)
      .def("ids", &ids_of, "Their numbers, uint64 [n], in the order that shuffling starts from.");

  module.def(
      "split",
      [](const OpenDataset& set, std::uint64_t validation, std::uint64_t seed) {
        const Split split = Split::random(set.data->size(), validation, seed);
        return std::pair(split.train, split.validation);
      },
      py::arg("data"), py::arg("validation"), py::arg("seed") = 0,
      "Two Subsets drawn at random: one to train on, and one of `validation` samples. The seed "
      "alone "
      "decides which; trainer's --seed draws the same.");
}

}  // namespace millrace::python
