#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

namespace millrace::test {

/// Samples of float32.
inline std::vector<float> float_values(std::span<const std::byte> samples) {
  std::vector<float> values(samples.size() / sizeof(float));
  std::memcpy(values.data(), samples.data(), samples.size());
  return values;
}

}  // namespace millrace::test
