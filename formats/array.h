#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "formats/dataset.h"
#include "formats/dtype.h"

namespace millrace {

/// An array of a file of arrays (npy, npz, safetensors), whole and in memory or mapped. Copies
/// share its bytes.
struct Array {
  std::string name = {};  ///< for messages: "data/x_train.npy", "data/mnist.npz/x_train.npy"
  DType dtype = DType::kUInt8;
  std::vector<std::uint64_t> dims = {};    ///< outermost first; none: one element
  std::shared_ptr<const void> owner = {};  ///< of the bytes
  std::span<const std::byte> data = {};    ///< row-major, in host byte order, aligned for dtype
  bool mapped = false;                     ///< data is a part of a mapped file

  /// "60000x28x28 uint8", for messages.
  std::string describe() const;
};

struct Labels {
  std::vector<std::int32_t> values;  ///< [samples], or of targets [samples, targets] by their bits
  std::uint32_t classes = 0;         ///< all values lie below; 0 where they are targets
  std::uint32_t targets = 0;         ///< of each sample; 0 where labels are classes

  /// As Dataset::label_words().
  std::uint32_t words() const noexcept { return targets == 0 ? 1 : targets; }
};

/// Labels of `samples`. Of classes: an array of rank 1, or of rank 2 with one column, of integers,
/// bools or floats that are whole numbers; `classes`: what they must lie below; none: one more than
/// the largest. Of targets, where `task` is regression: one of rank 1, or of rank 2, [count,
/// targets], of any type; each is rounded to the nearest float32, and `classes` is of no interest.
/// Throws DataError naming the labels' array: wrong shape or type, another count, the label that is
/// negative, no whole number or outside the classes (with its sample), and the target that is not
/// finite, or not as a float32.
Labels array_labels(const Array& samples, const Array& labels,
                    std::optional<std::uint32_t> classes = {}, Task task = Task::kClassification);

/// Of [count, …]: the rest. Throws DataError: rank below 2, no samples, samples of no elements.
SampleShape array_sample_shape(const Array& samples);

}  // namespace millrace
