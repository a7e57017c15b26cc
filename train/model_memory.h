#pragma once

#include <cstdint>

#include "compute/spec.h"

namespace millrace {

/// Bytes of a model's parameters and its optimizer's state; 2^64-1 where it is more than that.
std::uint64_t state_bytes(const MlpSpec& model, const OptimizerSpec& optimizer);

/// Bytes of host memory that training a model takes beside its data: the parameters and the
/// optimizer's state as they are saved and, on a CPU with that many `threads`, in the forms that
/// the engine has them in, with a batch on its way through all layers. `threads` is 0 for a GPU.
/// 2^64-1 where it is more than that.
std::uint64_t least_memory(const MlpSpec& model, const TrainSpec& train, std::uint32_t threads);

/// Throws std::invalid_argument that names the option where `bytes`, what there is, is less.
void check_memory(const MlpSpec& model, const TrainSpec& train, std::uint32_t threads,
                  std::uint64_t bytes);

}  // namespace millrace
