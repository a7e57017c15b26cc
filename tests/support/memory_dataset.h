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
/// small net learns them in an epoch or two. Of targets, each is a sum of a few of the pixels of
/// that noise, far from 0. A pure function of its options.
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
    std::uint32_t targets = 0;  ///< not 0: labels are so many numbers, and samples but noise
  };

  explicit MemoryDataset(Options options)
      : options_(std::move(options)),
        shape_{{options_.width}},
        samples_(options_.size * options_.width),
        labels_(options_.size * label_words()) {
    if (options_.height != 0) shape_.dims = {options_.height, options_.width / options_.height};
    std::uint32_t noise = options_.seed;
    const std::uint64_t stripe = std::max<std::uint64_t>(1, options_.width / options_.classes);
    for (std::uint64_t i = 0; i < options_.size; ++i) {
      if (options_.targets != 0) {
        draw_numbers(i, noise);
        continue;
      }
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
  std::uint32_t classes() const noexcept override {
    return options_.targets != 0 ? 0 : options_.classes;
  }
  std::uint32_t targets() const noexcept override { return options_.targets; }
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
      std::memcpy(labels.data() + i * label_words(), labels_.data() + ids[i] * label_words(),
                  label_words() * sizeof(std::int32_t));
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

  void draw_numbers(std::uint64_t i, std::uint32_t& noise) {
    const auto pixels = std::span(samples_).subspan(i * options_.width, options_.width);
    for (auto& pixel : pixels) pixel = static_cast<std::byte>(next(noise) % 256);
    const auto at = [&](std::uint64_t p) {
      return static_cast<float>(std::to_integer<int>(pixels[p % pixels.size()]));
    };
    for (std::uint32_t t = 0; t < options_.targets; ++t) {
      labels_[i * options_.targets + t] =
          target_word(1000.0F * static_cast<float>(t + 1) + at(t) + at(t + 1) - at(t + 2));
    }
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
