#pragma once

#include <cstdint>

#include "compute/spec.h"

namespace millrace {

/// Bytes of a model's parameters and its optimizer's state; 2^64-1 where it is more than that.
std::uint64_t state_bytes(const MlpSpec& model, const OptimizerSpec& optimizer);

/// Bytes of host memory that training a model takes at least, beside its data: the parameters and
/// the optimizer's state as they are saved and, on a CPU, in the engine, with a batch's outputs of
/// each hidden layer. 2^64-1 where it is more than that.
std::uint64_t least_memory(const MlpSpec& model, const TrainSpec& train, bool on_cpu);

/// Throws std::invalid_argument that names the option where `bytes`, what there is, is less.
void check_memory(const MlpSpec& model, const TrainSpec& train, bool on_cpu, std::uint64_t bytes);

}  // namespace millrace
