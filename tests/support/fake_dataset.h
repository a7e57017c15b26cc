#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "formats/dataset.h"
#include "formats/error.h"

namespace millrace::testing {

/// A data set whose content tells which sample it is: byte k of sample i is expected_byte(i, k),
/// its label is i; of targets, number t is 1000 t + i. It can hide that it lies in memory, and fail
/// at samples.
class FakeDataset : public Dataset {
 public:
  enum class Access : std::uint8_t { kContiguous, kReadOnly };

  FakeDataset(std::uint64_t size, std::uint64_t elements, DType type = DType::kUInt8,
              Access access = Access::kContiguous, std::uint32_t targets = 0)
      : shape_{{elements}},
        type_(type),
        access_(access),
        targets_(targets),
        size_(size),
        labels_(size * label_words()) {
    bytes_.resize(size * sample_bytes());
    for (std::uint64_t i = 0; i < size; ++i) {
      if (targets_ == 0) labels_[i] = static_cast<std::int32_t>(i);
      for (std::uint32_t t = 0; t < targets_; ++t) labels_[i * targets_ + t] = expected_word(i, t);
      for (std::uint64_t k = 0; k < sample_bytes(); ++k) {
        bytes_[i * sample_bytes() + k] = expected_byte(i, k);
      }
    }
  }

  static std::byte expected_byte(std::uint64_t sample, std::uint64_t k) noexcept {
    return static_cast<std::byte>((sample * 31 + (sample >> 8U) * 7 + k * 13) & 0xFFU);
  }

  static std::int32_t expected_word(std::uint64_t sample, std::uint32_t target) noexcept {
    return target_word(1000.0F * static_cast<float>(target) + static_cast<float>(sample));
  }

  /// Every read() that includes `sample` throws. Before the loader starts.
  void fail_at(std::uint64_t sample) { failing_.push_back(sample); }
  std::uint64_t reads() const noexcept { return reads_; }

  std::span<std::byte> bytes() noexcept { return bytes_; }

  std::uint64_t size() const noexcept override { return size_; }
  const SampleShape& shape() const noexcept override { return shape_; }
  DType dtype() const noexcept override { return type_; }
  std::uint32_t classes() const noexcept override {
    return targets_ != 0 ? 0 : std::numeric_limits<std::uint32_t>::max();
  }
  std::uint32_t targets() const noexcept override { return targets_; }
  std::string name() const override { return "fake"; }
  std::string hash() const override { return std::string(32, '0'); }

  void read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
            std::span<std::int32_t> labels) const override {
    ++reads_;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (ids[i] >= size()) throw std::out_of_range("fake: sample " + std::to_string(ids[i]));
      for (const auto failing : failing_) {
        if (ids[i] == failing)
          throw DataError("fake.bin", "sample " + std::to_string(failing) + " is broken");
      }
      std::memcpy(samples.data() + i * sample_bytes(), bytes_.data() + ids[i] * sample_bytes(),
                  sample_bytes());
      std::memcpy(labels.data() + i * label_words(), labels_.data() + ids[i] * label_words(),
                  label_words() * sizeof(std::int32_t));
    }
  }

  ContiguousView contiguous() const noexcept override {
    if (access_ == Access::kReadOnly) return {};
    return {bytes_, labels_};
  }

 private:
  SampleShape shape_;
  DType type_;
  Access access_;
  std::uint32_t targets_;
  std::uint64_t size_;
  std::vector<std::byte> bytes_;
  std::vector<std::int32_t> labels_;
  std::vector<std::uint64_t> failing_;
  mutable std::atomic<std::uint64_t> reads_{0};
};

}  // namespace millrace::testing
