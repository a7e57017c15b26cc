#include "train/finite_samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "formats/convert.h"
#include "formats/error.h"
#include "loader/readable.h"

namespace millrace {
namespace {

bool is_float(DType type) {
  return type == DType::kFloat16 || type == DType::kBFloat16 || type == DType::kFloat32 ||
         type == DType::kFloat64;
}

// As it is stored: a float64 may be finite and too large.
std::string text(DType type, const std::byte* stored, float value) {
  double number = value;
  if (type == DType::kFloat64) std::memcpy(&number, stored, sizeof(number));
  return fmt::format("{}", number);
}

}  // namespace

void check_finite_samples(const Dataset& data) {
  constexpr std::uint64_t kBlockBytes = std::uint64_t{1} << 20U;
  const DType type = data.dtype();
  if (!is_float(type) || data.size() == 0 || data.sample_bytes() == 0) return;
  const std::uint64_t elements = data.shape().elements();
  const std::uint64_t block =
      std::clamp<std::uint64_t>(kBlockBytes / data.sample_bytes(), 1, data.size());
  std::vector<std::uint64_t> ids(block);
  std::vector<std::byte> samples(block * data.sample_bytes());
  std::vector<std::int32_t> labels(block * data.label_words());
  std::vector<float> values(block * elements);
  for (std::uint64_t first = 0; first < data.size(); first += block) {
    const std::uint64_t count = std::min(block, data.size() - first);
    std::iota(ids.begin(), ids.end(), first);
    const auto read = std::span(samples).first(count * data.sample_bytes());
    read_readable(data, std::span(ids).first(count), read,
                  std::span(labels).first(count * data.label_words()));
    const auto converted = std::span(values).first(count * elements);
    to_float32(type, read, converted);
    const auto bad = std::ranges::find_if_not(converted, [](float v) { return std::isfinite(v); });
    if (bad == converted.end()) continue;
    const auto at = static_cast<std::uint64_t>(bad - converted.begin());
    throw DataError(data.name(), "sample " + std::to_string(first + at / elements) + ", element " +
                                     std::to_string(at % elements) +
                                     ": expected a number that is finite as float32, found " +
                                     text(type, &read[at * size_of(type)], *bad));
  }
}

}  // namespace millrace
