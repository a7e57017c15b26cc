#pragma once

#include <optional>

#include "compute/cuda/network.h"
#include "compute/cuda/owned.h"
#include "compute/cuda/piece.h"
#include "compute/cuda/step_plan.h"

namespace millrace::cuda {

/// Training by SmallTraining, where that can be had.
class SmallPlan {
 public:
  /// None unless the network is small and plain: no bfloat16, one hidden layer of ReLUs, steps of
  /// one part, nothing that looks at the whole of a batch or a gradient, classes without weights;
  /// nor where the device is too small, or lacks the memory. `network` outlives it.
  static std::optional<SmallPlan> make(Runtime& runtime, const Network& network);

  /// The steps of a piece. Its sums are left to be added up.
  SmallTraining training(const Piece& piece, const Batch& batch) const;

 private:
  explicit SmallPlan(const Network& network) : network_(&network) {}

  const Network* network_;
  DeviceBuffer parts_;
};

}  // namespace millrace::cuda
