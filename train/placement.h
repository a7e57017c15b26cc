#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "compute/engine.h"
#include "formats/dataset.h"
#include "loader/loader.h"
#include "train/trainer.h"

namespace millrace {

/// How an engine gets the samples of one data set.
struct Placement {
  ChunkKind kind = ChunkKind::kPacked;
  std::uint32_t source = 0;  ///< kIndices: the number Engine::add_resident gave
};

/// Makes `data` resident in `engine` where `residency` and memory allow. kAuto takes it in place,
/// or converted where that fills at most half of the free memory, and falls back to kHost, telling
/// `notice` why. kResident throws what stands against it: DeviceError, std::bad_alloc,
/// std::invalid_argument.
Placement place(Engine& engine, Residency residency, const std::shared_ptr<const Dataset>& data,
                InputType type, const std::function<void(const std::string&)>& notice);

}  // namespace millrace
