#include "tools/cli/statistics.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "formats/convert.h"

namespace millrace {

void Statistics::add(std::span<const float> values) {
  std::uint64_t count = 0;
  double sum = 0.0;
  double least = 0.0;
  double most = 0.0;
  for (const float value : values) {
    if (!std::isfinite(value)) continue;
    const auto number = static_cast<double>(value);
    least = count == 0 ? number : std::min(least, number);
    most = count == 0 ? number : std::max(most, number);
    sum += number;
    ++count;
  }
  nonfinite_ += values.size() - count;
  if (count == 0) return;
  const double mean = sum / static_cast<double>(count);
  double squares = 0.0;
  for (const float value : values) {
    if (!std::isfinite(value)) continue;
    const double difference = static_cast<double>(value) - mean;
    squares += difference * difference;
  }

  const auto before = static_cast<double>(count_);
  const auto added = static_cast<double>(count);
  const double shift = mean - mean_;
  min_ = count_ == 0 ? least : std::min(min_, least);
  max_ = count_ == 0 ? most : std::max(max_, most);
  count_ += count;
  const auto now = static_cast<double>(count_);
  mean_ += shift * added / now;
  squares_ += squares + shift * shift * before * added / now;
}

void Statistics::add(DType type, std::span<const std::byte> bytes) {
  constexpr std::size_t kBlock = 16'384;
  std::vector<float> values;
  const std::size_t size = size_of(type);
  for (std::size_t begin = 0; begin < bytes.size(); begin += kBlock * size) {
    const auto block = bytes.subspan(begin, std::min(kBlock * size, bytes.size() - begin));
    values.resize(block.size() / size);
    to_float32(type, block, values);
    add(values);
  }
}

double Statistics::standard_deviation() const noexcept {
  return count_ == 0 ? 0.0 : std::sqrt(squares_ / static_cast<double>(count_));
}

}  // namespace millrace
