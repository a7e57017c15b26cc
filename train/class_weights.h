#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "formats/dataset.h"

namespace millrace {

/// What the classes of a training set weigh in its loss: see TrainSpec::class_weights.
struct ClassWeights {
  bool balanced = false;      ///< by balanced_weights() of the whole training set
  std::vector<float> values;  ///< [classes], where not balanced; empty: all 1

  bool operator==(const ClassWeights&) const = default;
};

/// Weights by which all classes have the same share of a loss: samples / (classes that have some ·
/// samples of the class), 1 of a class that has none. Their mean over all samples is 1.
std::vector<float> balanced_weights(std::span<const std::uint64_t> class_sizes);

/// Of the classes of `train`; empty: all 1. Throws std::invalid_argument for weights of another
/// number of classes, that are not finite and at least 0, or all 0 for the classes there are
/// samples of; and where they are to be balanced and the set does not have its labels at hand.
std::vector<float> resolve(const ClassWeights& weights, const Dataset& train);

/// For people: "none", "1,0.5,2"; of many the first eight and "…".
std::string describe_class_weights(std::span<const float> weights);

}  // namespace millrace
