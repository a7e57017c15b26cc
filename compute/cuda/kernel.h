#pragma once

#include <variant>

#include "compute/cuda/activation.h"
#include "compute/cuda/activation_gradient.h"
#include "compute/cuda/copy_arrays.h"
#include "compute/cuda/dropout.h"
#include "compute/cuda/elementwise.h"
#include "compute/cuda/hand_over_sums.h"
#include "compute/cuda/norm.h"
#include "compute/cuda/small_training.h"
#include "compute/cuda/softmax_loss.h"
#include "compute/cuda/sums.h"
#include "compute/cuda/target_loss.h"

namespace millrace::cuda {

/// Everything the engine launches beside matrix products.
using Kernel = std::variant<Gather, BiasRelu, Dropout, Activate, ActivationGradient, PartSums,
                            NormStatistics, NormGradientSums, NormGradient, AddGradient,
                            OptimizerUpdate, CopyElements, SoftmaxLoss, TargetLoss, SmallTraining,
                            SquareSums, ClipFactor, MetricsSums, HandOverSums, CopyArrays>;

}  // namespace millrace::cuda
