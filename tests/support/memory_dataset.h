#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "formats/dataset.h"
#include "formats/hash.h"

namespace millrace::test {

/// uint8 samples in memory: class c is bright in its own stripe of pixels, over noise, so that a
/// small net learns them in an epoch or two. A pure function of its options.
class MemoryDataset final : public Dataset {
 public:
  struct Options {
    std::uint64_t size = 300;
    std::uint32_t classes = 5;
    std::uint64_t width = 20;  ///< values of a sample
    std::uint64_t height = 0;  ///< not 0: samples are images of that many rows
    std::uint32_t seed = 1;
    bool contiguous = true;  ///< false: only read() gets at the samples
    std::string name = "memory";
    std::vector<std::string> class_names = {};
    ColumnNames columns = {};
  };

  explicit MemoryDataset(Options options)
      : options_(std::move(options)),
        shape_{{options_.width}},
        samples_(options_.size * options_.width),
        labels_(options_.size) {
    if (options_.height != 0) shape_.dims = {options_.height, options_.width / options_.height};
    std::uint32_t noise = options_.seed;
    const std::uint64_t stripe = std::max<std::uint64_t>(1, options_.width / options_.classes);
    for (std::uint64_t i = 0; i < options_.size; ++i) {
      labels_[i] = static_cast<std::int32_t>(next(noise) % options_.classes);
      for (std::uint64_t p = 0; p < options_.width; ++p) {
        const bool bright = p / stripe == static_cast<std::uint64_t>(labels_[i]);
        samples_[i * options_.width + p] =
            static_cast<std::byte>(next(noise) % 160 + (bright ? 90 : 0));
      }
    }
  }

  std::uint64_t size() const noexcept override { return options_.size; }
  const SampleShape& shape() const noexcept override { return shape_; }
  DType dtype() const noexcept override { return DType::kUInt8; }
  std::uint32_t classes() const noexcept override { return options_.classes; }
  std::string name() const override { return options_.name; }
  const std::vector<std::string>& class_names() const noexcept override {
    return options_.class_names;
  }
  const ColumnNames& column_names() const noexcept override { return options_.columns; }
  std::string hash() const override {
    Hasher hasher;
    hasher.update(std::span<const std::byte>(samples_));
    hasher.update(std::span<const std::int32_t>(labels_));
    return hasher.hex();
  }

  void read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
            std::span<std::int32_t> labels) const override {
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (ids[i] >= options_.size) throw std::out_of_range("MemoryDataset: no such sample");
      std::memcpy(samples.data() + i * options_.width, samples_.data() + ids[i] * options_.width,
                  options_.width);
      labels[i] = labels_[ids[i]];
    }
  }

  ContiguousView contiguous() const noexcept override {
    if (!options_.contiguous) return {};
    return {samples_, labels_};
  }

 private:
  // Numerical Recipes' linear congruential generator; its high bits are noise enough.
  static std::uint32_t next(std::uint32_t& state) {
    state = state * 1664525U + 1013904223U;
    return state >> 16U;
  }

  Options options_;
  SampleShape shape_;
  std::vector<std::byte> samples_;
  std::vector<std::int32_t> labels_;
};

inline std::shared_ptr<const Dataset> memory_dataset(MemoryDataset::Options options) {
  return std::make_shared<MemoryDataset>(std::move(options));
}

}  // namespace millrace::test
