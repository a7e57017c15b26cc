#include "formats/array.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>
#include <utility>

#include "formats/error.h"
#include "formats/idx_pair.h"
#include "formats/targets.h"

namespace millrace {
namespace {

template <typename Stored>
std::vector<std::int32_t> converted(const Array& labels, std::optional<std::uint32_t> classes) {
  const auto limit = classes.value_or(kMostIdxClasses);
  std::vector<std::int32_t> values(labels.data.size() / sizeof(Stored));
  for (std::size_t i = 0; i < values.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, labels.data.data() + i * sizeof(Stored), sizeof(Stored));
    bool fits = false;
    if constexpr (std::is_floating_point_v<Stored>) {
      fits = stored >= 0 && stored < static_cast<Stored>(limit) && std::floor(stored) == stored;
    } else {
      fits = std::cmp_greater_equal(stored, 0) && std::cmp_less(stored, limit);
    }
    if (!fits) {
      throw DataError(labels.name, std::nullopt,
                      fmt::format("a whole number in [0, {}) as the label of sample {}", limit, i),
                      fmt::format("{}{}", +stored, classes ? "" : kRegressionAdvice));
    }
    values[i] = static_cast<std::int32_t>(static_cast<std::int64_t>(stored));
  }
  return values;
}

std::vector<std::int32_t> converted_labels(const Array& labels,
                                           std::optional<std::uint32_t> classes) {
  switch (labels.dtype) {
    case DType::kUInt8:
    case DType::kBool:
      return converted<std::uint8_t>(labels, classes);
    case DType::kInt8:
      return converted<std::int8_t>(labels, classes);
    case DType::kUInt16:
      return converted<std::uint16_t>(labels, classes);
    case DType::kInt16:
      return converted<std::int16_t>(labels, classes);
    case DType::kUInt32:
      return converted<std::uint32_t>(labels, classes);
    case DType::kInt32:
      return converted<std::int32_t>(labels, classes);
    case DType::kUInt64:
      return converted<std::uint64_t>(labels, classes);
    case DType::kInt64:
      return converted<std::int64_t>(labels, classes);
    case DType::kFloat32:
      return converted<float>(labels, classes);
    case DType::kFloat64:
      return converted<double>(labels, classes);
    case DType::kFloat16:
    case DType::kBFloat16:
      break;
  }
  throw DataError(labels.name, std::nullopt, "labels of an integer type, float32 or float64",
                  std::string(name_of(labels.dtype)));
}

void check_count(const Array& samples, const Array& labels, std::string_view what) {
  if (labels.dims[0] == samples.dims.at(0)) return;
  throw DataError(
      labels.name, std::nullopt,
      fmt::format("{} {}, one for each sample in {}", samples.dims[0], what, samples.name),
      fmt::format("{}", labels.dims[0]));
}

Labels array_targets(const Array& samples, const Array& numbers) {
  const auto& dims = numbers.dims;
  const auto targets = targets_in(dims);
  if (targets == 0) {
    throw DataError(
        numbers.name, std::nullopt,
        fmt::format("targets, a number for each sample or 1 to {} in its row", kMostTargets),
        numbers.describe());
  }
  check_count(samples, numbers, dims.size() == 1 ? "targets" : "rows of targets");
  Labels found{.values = std::vector<std::int32_t>(numbers.data.size() / size_of(numbers.dtype)),
               .targets = static_cast<std::uint32_t>(targets)};
  if (const auto bad = read_targets(numbers.dtype, numbers.data, found.values)) {
    throw DataError(numbers.name, std::nullopt, expected_target(bad->at, found.targets),
                    bad->found);
  }
  return found;
}

}  // namespace

std::string Array::describe() const {
  if (dims.empty()) return fmt::format("scalar {}", name_of(dtype));
  return fmt::format("{} {}", fmt::join(dims, "x"), name_of(dtype));
}

Labels array_labels(const Array& samples, const Array& labels, std::optional<std::uint32_t> classes,
                    Task task) {
  if (task == Task::kRegression) return array_targets(samples, labels);
  const bool column = labels.dims.size() == 2 && labels.dims[1] == 1;
  if (labels.dims.size() != 1 && !column) {
    const auto rank = labels.dims.size();
    throw DataError(labels.name, std::nullopt, "labels, one number for each sample",
                    labels.describe() + std::string(rank == 2 ? kRegressionAdvice : ""));
  }
  check_count(samples, labels, "labels");
  Labels found{.values = converted_labels(labels, classes), .classes = classes.value_or(0)};
  if (!classes) {
    found.classes = static_cast<std::uint32_t>(*std::ranges::max_element(found.values)) + 1;
  }
  return found;
}

SampleShape array_sample_shape(const Array& samples) {
  if (samples.dims.size() < 2) {
    throw DataError(samples.name, std::nullopt, "samples, of rank 2 or more", samples.describe());
  }
  SampleShape shape{.dims = {samples.dims.begin() + 1, samples.dims.end()}};
  if (samples.dims[0] == 0 || shape.elements() == 0) {
    throw DataError(samples.name, std::nullopt, "at least one sample of at least one element",
                    samples.describe());
  }
  return shape;
}

}  // namespace millrace
