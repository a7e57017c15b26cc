#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace millrace::cpu {

/// What the pieces of one phase of a step do.
struct Stage {
  enum class Kind : std::uint8_t {
    kInput,         ///< samples converted and multiplied by the first layer's weights
    kLanes,         ///< rows: a run of layers up to the loss and back, where none looks across rows
    kNorm,          ///< columns: sums of `layer` normalised, with ReLU and dropout
    kForward,       ///< rows: the sums of `layer`
    kTop,           ///< rows: the last layer, the loss, and the gradient of the outputs below
    kNormBackward,  ///< columns: from the gradient of the outputs of `layer` to that of its sums
    kBackward,      ///< rows: from the gradient of the sums of `layer` to that of the outputs below
    kTiles,         ///< weights: gradient and update
    kGradients,     ///< weights: gradient, to be added up or measured before
    kUpdate         ///< weights: the update, where that was the last part of the step's batch
  };
  Kind kind;
  std::size_t layer = 0;
};

/// The phases of a step of `layers` layers. Normalisation looks across the batch, and so adds
/// phases; gradients that are kept (`buffered`) split the last one.
inline std::vector<Stage> stages_of(std::size_t layers, bool batch_norm, bool buffered = false) {
  using Kind = Stage::Kind;
  std::vector<Stage> stages{{Kind::kInput}};
  if (!batch_norm || layers == 1) {
    stages.push_back({Kind::kLanes});
  } else {
    for (std::size_t l = 0; l + 1 < layers; ++l) {
      if (l > 0) stages.push_back({Kind::kForward, l});
      stages.push_back({Kind::kNorm, l});
    }
    stages.push_back({Kind::kTop, layers - 1});
    for (std::size_t l = layers - 1; l-- > 0;) {
      stages.push_back({Kind::kNormBackward, l});
      if (l > 0) stages.push_back({Kind::kBackward, l});
    }
  }
  if (buffered) {
    stages.push_back({Kind::kGradients});
    stages.push_back({Kind::kUpdate});
  } else {
    stages.push_back({Kind::kTiles});
  }
  return stages;
}

}  // namespace millrace::cpu
