#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compute/engine.h"
#include "compute/spec.h"

namespace millrace {

/// Names and shapes of a model's parameters, in state_dict order, without values. A normalised
/// layer's are "0.weight", and of its BatchNorm1d "1.weight", "1.bias", "1.running_mean",
/// "1.running_var".
Parameters parameter_shapes(const MlpSpec& model);
/// The same with all values zero.
Parameters empty_parameters(const MlpSpec& model);
/// False for what a step updates without a gradient: running means and variances.
bool is_trained(const Tensor& parameter) noexcept;

/// Names and shapes of what an optimizer keeps for a model, without values: nothing, a momentum
/// buffer for each trained parameter under the parameter's name, or Adam's "….exp_avg" and
/// "….exp_avg_sq"; with an average, each parameter itself as "….raw"; then, where steps are
/// counted, "step" [2].
OptimizerState optimizer_state_shapes(const MlpSpec& model, const OptimizerSpec& optimizer);

/// The same but for "step", with all values zero; a momentum buffer also where momentum is 0.
/// Without `moments` only each parameter itself, where there is an average.
OptimizerState empty_state(const MlpSpec& model, OptimizerSpec optimizer, bool moments = true);

/// What a trained model computes, as Linear, ReLU, …, Linear alone: normalisation by the running
/// statistics is taken into the weights and biases before it. Tensors in pairs, [out, in] and
/// [out], under the names that a model without normalisation has.
Parameters folded(const MlpSpec& model, const Parameters& parameters);

inline constexpr const char* kStepTensor = "step";
inline constexpr const char* kRawSuffix = ".raw";
inline constexpr const char* kFirstMomentSuffix = ".exp_avg";
inline constexpr const char* kSecondMomentSuffix = ".exp_avg_sq";

/// Whether something depends on the number of steps done.
bool counts_steps(const MlpSpec& model, const OptimizerSpec& optimizer) noexcept;
/// A number of steps as the two float32 values of "step", exact up to 2^44.
Tensor step_tensor(std::uint64_t steps);
/// What "step" says. Throws std::invalid_argument if there is none.
std::uint64_t steps_in(const OptimizerState& state);

/// The first weights and biases by `initializer`, and of BatchNorm1d ones and zeros. Value i of
/// tensor t is a function of (seed, t, i).
Parameters initial_parameters(const MlpSpec& model, std::uint64_t seed,
                              Initializer initializer = Initializer::kPyTorch);

/// `given`, ordered as `model` orders them. Throws std::invalid_argument naming the first tensor
/// that is missing, left over, or of another shape: "0.weight: expected [32, 784], found [64,
/// 784]".
std::vector<const Tensor*> match_tensors(const MlpSpec& model, const std::vector<Tensor>& given);
/// The same, ordered as `wanted`, tensors of which values do not matter.
std::vector<const Tensor*> match_tensors(const std::vector<Tensor>& wanted,
                                         const std::vector<Tensor>& given);
/// The same of an optimizer's state, without "step". Where momentum is 0 there may be buffers of it
/// all the same, and with `moments` there must be.
std::vector<const Tensor*> match_state(const MlpSpec& model, OptimizerSpec optimizer, bool moments,
                                       const OptimizerState& given);

}  // namespace millrace
