#pragma once

#include <memory>

#include "compute/cuda/network.h"
#include "compute/cuda/runtime.h"
#include "compute/engine.h"

namespace millrace::cuda {

/// The engine on any Runtime: which work goes to which stream in which order. Two streams: chunks
/// are copied on one and trained on by the other. The steps of a chunk, or of a piece of a long
/// one, run as one captured graph. The host waits for nothing but slots, until metrics(),
/// parameters() or predict() are asked for. A device without TF32 or bfloat16 trains in float32 in
/// their place, and EngineInfo::notice says so.
std::unique_ptr<Engine> make_device_engine(std::unique_ptr<Runtime> runtime, const MlpSpec& model,
                                           const TrainSpec& train, Arithmetic arithmetic,
                                           int device_index);

}  // namespace millrace::cuda
