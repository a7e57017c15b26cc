#include "python/run_data.h"

#include <array>
#include <optional>
#include <utility>

#include "python/frames.h"
#include "python/gil.h"
#include "python/keywords.h"
#include "tools/trainer/run_data.h"

namespace millrace::python {
namespace py = pybind11;
namespace {

// What data that are open were opened for; of a path and of arrays none: the options say it.
std::optional<Task> task_of(const py::object& data) {
  const auto of = [](bool multilabel, const Dataset& set) {
    return multilabel ? Task::kMultilabel : set.task();
  };
  if (py::isinstance<OpenData>(data)) {
    const auto open = data.cast<OpenData>();
    return of(open.multilabel, *open.folder.train);
  }
  if (py::isinstance<OpenDataset>(data)) {
    const auto open = data.cast<OpenDataset>();
    return of(open.multilabel, *open.data);
  }
  return std::nullopt;
}

// A frame is opened as a path is. Those that go with it are read by its columns.
OpenData opened_frames(const py::object& data, py::object& test, py::object& validation,
                       const Options& options) {
  const auto train = table_of(data, "DataFrame");
  const auto beside = [](py::object& other, const char* name) -> std::optional<MemoryTable> {
    if (!is_frame(other)) return std::nullopt;
    auto table = table_of(other, std::string("DataFrame, ") + name);
    other = py::none();
    return table;
  };
  const auto tested = beside(test, "test");
  const auto validated = beside(validation, "validation");
  auto folder = open_memory_tables(train, tested ? &*tested : nullptr,
                                   validated ? &*validated : nullptr, open_options(options));
  return {std::move(folder), false, options.task == Task::kMultilabel};
}

OpenData opened(const py::object& data, py::object& test, py::object& validation,
                Options& options) {
  if (py::isinstance<OpenData>(data)) return data.cast<OpenData>();
  if (is_path(data)) {
    options.data = path_bytes(data);
    const OthersRun others_run;
    return {open_data(options), options.run.residency == Residency::kStream};
  }
  if (is_frame(data)) return opened_frames(data, test, validation, options);
  const OpenDataset train = dataset_of(data, "data", options.task);
  return {{.train = train.data, .test = nullptr, .description = train.data->name()}, train.streams};
}

void check_task(const Options& options, const py::object& data) {
  const std::optional<Task> task = task_of(data);
  // Numbers may be labels, which the run looks at.
  if (task && options.task != *task && stored_task(options.task) != *task) {
    throw py::value_error(std::string("task: expected ") + name_of(*task) +
                          ", for which the data were opened, found " + name_of(options.task) +
                          " (open() and from_arrays() take it, too)");
  }
}

void refuse_idle(const Options& options, const std::string& caller) {
  const std::array<std::pair<const char*, bool>, 6> of_program{
      {{"metrics", !options.metrics.empty()},
       {"report", !options.report.empty()},
       {"trace", !options.trace.empty()},
       {"tensorboard", !options.tensorboard.empty()},
       {"quarantine", !options.quarantine.empty()},
       {"download", !options.download.empty()}}};
  for (const auto& [name, given] : of_program) {
    if (given) throw py::value_error(std::string(name) + ": it is the program's, not of " + caller);
  }
}

void refuse_to_open(const Options& options, const py::object& data) {
  if (is_path(data) || is_frame(data)) return;
  if (options.images != ImageOptions{} || !options.label_column.empty() ||
      options.table != TableOptions{}) {
    throw py::value_error(
        "image_size, resize, gray, rgb, label_column, one_hot, drop_columns, missing: expected a "
        "path or a DataFrame to open with them, found data that are open");
  }
}

}  // namespace

OpenData all_data(const py::object& data, const py::object& given_test,
                  const py::object& given_validation, Options& options) {
  py::object test = given_test;
  py::object validation = given_validation;
  if (options.validation_size && !validation.is_none()) {
    throw py::value_error("val_size and validation: expected one of them, found both");
  }
  OpenData all = opened(data, test, validation, options);
  if (!test.is_none()) all.folder.test = dataset_of(test, "test", options.task).data;
  if (options.validation_size) all.folder.validation = nullptr;  // as the program does
  if (validation.is_none()) return all;
  all.folder.validation = dataset_of(validation, "validation", options.task).data;
  return all;
}

std::vector<std::string> arguments_of(const py::dict& keywords, const py::object& data) {
  const std::optional<Task> task = task_of(data);
  std::vector<std::string> arguments = as_arguments(keywords);
  const bool given = keywords.contains("task") && !keywords["task"].is_none();
  if (task && task != Task::kClassification && !given) {
    arguments.emplace_back(std::string("--task=") + name_of(*task));
  }
  return arguments;
}

void check_options(const Options& options, const py::object& data, const std::string& caller) {
  check_task(options, data);
  refuse_idle(options, caller);
  refuse_to_open(options, data);
}

void stream_if_opened_so(Options& options, const OpenData& data) {
  if (data.streams && options.run.residency == Residency::kAuto) {
    options.run.residency = Residency::kStream;
  }
}

}  // namespace millrace::python
