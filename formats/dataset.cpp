#include "formats/dataset.h"

#include <fmt/ranges.h>

#include <stdexcept>

namespace millrace {

std::uint64_t SampleShape::elements() const noexcept {
  std::uint64_t product = 1;
  for (const auto dim : dims) product *= dim;
  return product;
}

std::string SampleShape::text() const {
  return dims.empty() ? "one value" : fmt::format("{}", fmt::join(dims, "x"));
}

const char* name_of(Task task) noexcept {
  switch (task) {
    case Task::kRegression:
      return "regression";
    case Task::kMultilabel:
      return "multilabel";
    case Task::kClassification:
      break;
  }
  return "classification";
}

std::optional<Task> task_called(std::string_view name) noexcept {
  for (const Task task : {Task::kClassification, Task::kRegression, Task::kMultilabel}) {
    if (name == name_of(task)) return task;
  }
  return std::nullopt;
}

const std::vector<std::string>& Dataset::class_names() const noexcept {
  static const std::vector<std::string> none;
  return none;
}

const ColumnNames& Dataset::column_names() const noexcept {
  static const ColumnNames none;
  return none;
}

std::string describe_samples(const Dataset& data) {
  return fmt::format("{} {}", data.shape().text(), name_of(data.dtype()));
}

std::string describe_labels(const Dataset& data) {
  if (data.task() == Task::kClassification) return fmt::format("{} classes", data.classes());
  return fmt::format("{} target{}", data.targets(), data.targets() == 1 ? "" : "s");
}

void check_read(const Dataset& data, std::span<const std::uint64_t> ids,
                std::span<const std::byte> samples, std::span<const std::int32_t> labels) {
  if (samples.size() != ids.size() * data.sample_bytes() ||
      labels.size() != ids.size() * data.label_words()) {
    throw std::invalid_argument(fmt::format(
        "{}: room for {} bytes and {} words of labels given for {} samples of {} bytes and {}",
        data.name(), samples.size(), labels.size(), ids.size(), data.sample_bytes(),
        data.label_words()));
  }
  for (const auto id : ids) {
    if (id >= data.size()) {
      throw std::out_of_range(fmt::format("{}: sample {} of {}", data.name(), id, data.size()));
    }
  }
}

}  // namespace millrace
