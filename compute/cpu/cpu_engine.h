#pragma once

#include <memory>
#include <string>

#include "compute/engine.h"

namespace millrace {

/// The engine for the processor this runs on. `device.threads` 0 means one for each available core,
/// of which as many compute a step as make it fastest (TeamSize).
/// `notice`: what the user should know already, for EngineInfo.
std::unique_ptr<Engine> make_cpu_engine(const MlpSpec& model, const TrainSpec& train,
                                        const Device& device, std::string notice = {});

}  // namespace millrace
