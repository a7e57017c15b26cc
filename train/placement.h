#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compute/engine.h"
#include "formats/dataset.h"
#include "loader/loader.h"
#include "train/trainer.h"

namespace millrace {

/// How an engine gets the samples of one data set.
struct Placement {
  ChunkKind kind = ChunkKind::kPacked;
  std::uint32_t source = 0;         ///< kIndices: the number Engine::add_resident gave
  std::uint64_t window_blocks = 0;  ///< of a stream; see LoaderSpec
  std::vector<BadPlace> bad{};      ///< kIndices: samples of the set that cannot be read
};

/// Why `data` is better not kept resident; nullopt if nothing stands against it.
std::optional<std::string> obstacle_to_residency(const Dataset& data, InputType type);

/// Makes `data` resident in `engine` where `residency` and memory allow. kAuto takes it in place,
/// or converted where that fills at most half of the free memory, and falls back to kHost, telling
/// `notice` why. kStream is kHost for a BlockDataset and kAuto for all others. kResident throws
/// what stands against it: DeviceError, std::bad_alloc, std::invalid_argument.
///
/// Unless `on_bad` is kFail, samples that cannot be read are listed in the placement; else they
/// throw DataError.
///
/// It never chooses a stream: that has an order of its own, which is for the run to decide
/// (stream_window() in streaming.h) and to record.
Placement place(Engine& engine, Residency residency, const std::shared_ptr<const Dataset>& data,
                InputType type, OnBad on_bad,
                const std::function<void(const std::string&)>& notice);

}  // namespace millrace
