#pragma once

#include <memory>

#include "compute/engine.h"

namespace millrace {

/// The engine for the processor this runs on. `device.threads` 0 means one for each available core.
std::unique_ptr<Engine> make_cpu_engine(const MlpSpec& model, const TrainSpec& train,
                                        const Device& device);

}  // namespace millrace
