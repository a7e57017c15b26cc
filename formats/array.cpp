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

namespace millrace {
namespace {

template <typename Stored>
std::vector<std::int32_t> converted(const Array& labels, std::uint32_t limit) {
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
                      fmt::format("{}", +stored));
    }
    values[i] = static_cast<std::int32_t>(static_cast<std::int64_t>(stored));
  }
  return values;
}

std::vector<std::int32_t> converted_labels(const Array& labels, std::uint32_t limit) {
  switch (labels.dtype) {
    case DType::kUInt8:
    case DType::kBool:
      return converted<std::uint8_t>(labels, limit);
    case DType::kInt8:
      return converted<std::int8_t>(labels, limit);
    case DType::kUInt16:
      return converted<std::uint16_t>(labels, limit);
    case DType::kInt16:
      return converted<std::int16_t>(labels, limit);
    case DType::kUInt32:
      return converted<std::uint32_t>(labels, limit);
    case DType::kInt32:
      return converted<std::int32_t>(labels, limit);
    case DType::kUInt64:
      return converted<std::uint64_t>(labels, limit);
    case DType::kInt64:
      return converted<std::int64_t>(labels, limit);
    case DType::kFloat32:
      return converted<float>(labels, limit);
    case DType::kFloat64:
      return converted<double>(labels, limit);
    case DType::kFloat16:
    case DType::kBFloat16:
      break;
  }
  throw DataError(labels.name, std::nullopt, "labels of an integer type, float32 or float64",
                  std::string(name_of(labels.dtype)));
}

}  // namespace

std::string Array::describe() const {
  if (dims.empty()) return fmt::format("scalar {}", name_of(dtype));
  return fmt::format("{} {}", fmt::join(dims, "x"), name_of(dtype));
}

Labels array_labels(const Array& samples, const Array& labels,
                    std::optional<std::uint32_t> classes) {
  const bool column = labels.dims.size() == 2 && labels.dims[1] == 1;
  if (labels.dims.size() != 1 && !column) {
    throw DataError(labels.name, std::nullopt, "labels, one number for each sample",
                    labels.describe());
  }
  if (labels.dims[0] != samples.dims.at(0)) {
    throw DataError(
        labels.name, std::nullopt,
        fmt::format("{} labels, one for each sample in {}", samples.dims[0], samples.name),
        fmt::format("{}", labels.dims[0]));
  }
  Labels found{.values = converted_labels(labels, classes.value_or(kMostIdxClasses)),
               .classes = classes.value_or(0)};
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
