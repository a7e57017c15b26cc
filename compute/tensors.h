#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compute/engine.h"
#include "compute/spec.h"

namespace millrace {

/// Names and shapes of a model's parameters, in state_dict order, with all values zero.
Parameters empty_parameters(const MlpSpec& model);

/// The initialisation of torch.nn.Linear: weights and biases uniform in ±1/sqrt(fan_in). Value i of
/// tensor t is a function of (seed, t, i).
Parameters initial_parameters(const MlpSpec& model, std::uint64_t seed);

/// `given`, ordered as `model` orders them. Throws std::invalid_argument naming the first tensor
/// that is missing, left over, or of another shape: "0.weight: expected [32, 784], found [64,
/// 784]".
std::vector<const Tensor*> match_tensors(const MlpSpec& model, const std::vector<Tensor>& given);

}  // namespace millrace
