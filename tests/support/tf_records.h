#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tools/tensorboard/crc32c.h"

namespace millrace::test {

/// The records of a TFRecord file, all checksums checked.
inline std::vector<std::string> tf_records(std::string_view file) {
  const auto number = [](std::string_view bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) {
      value = value << 8U | static_cast<std::uint8_t>(bytes[i]);
    }
    return value;
  };
  const auto unmasked = [](std::uint64_t crc) {
    const auto rotated = static_cast<std::uint32_t>(crc) - 0xa282ead8U;
    return rotated >> 17U | rotated << 15U;
  };
  std::vector<std::string> records;
  while (!file.empty()) {
    if (file.size() < 16) throw std::runtime_error("record ends early");
    const std::uint64_t length = number(file.substr(0, 8));
    if (unmasked(number(file.substr(8, 4))) != crc32c(file.substr(0, 8))) {
      throw std::runtime_error("length's checksum");
    }
    if (file.size() - 16 < length) throw std::runtime_error("record ends early");
    const std::string_view bytes = file.substr(12, length);
    if (unmasked(number(file.substr(12 + length, 4))) != crc32c(bytes)) {
      throw std::runtime_error("record's checksum");
    }
    records.emplace_back(bytes);
    file.remove_prefix(16 + length);
  }
  return records;
}

}  // namespace millrace::test
