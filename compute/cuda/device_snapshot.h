#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "compute/cuda/network.h"
#include "compute/cuda/owned.h"
#include "compute/engine.h"

namespace millrace::cuda {

/// A tensor for each parameter, or for each trained one, in one device buffer.
struct StatePart {
  const DeviceBuffer* buffer = nullptr;
  const char* suffix = "";  ///< of the tensors' names
};
/// What the optimizer keeps in them, in the order of an OptimizerState.
std::vector<StatePart> optimizer_parts(const Network& network);
/// Adds a part's tensors, which have the parameters' names.
void append(OptimizerState& state, Parameters tensors, const StatePart& part);

/// A network's state on its way to page-locked memory, on the stream that computes: steps enqueued
/// before it are in it, steps after it are not, and the host waits for neither.
class DeviceSnapshot final : public Snapshot {
 public:
  /// `steps` says how many the run has, where the state counts them. `runtime` and `network`
  /// outlive it.
  DeviceSnapshot(Runtime& runtime, const Network& network, StreamHandle compute,
                 std::function<std::optional<std::uint64_t>()> steps);
  ~DeviceSnapshot() override;
  DeviceSnapshot(const DeviceSnapshot&) = delete;
  DeviceSnapshot& operator=(const DeviceSnapshot&) = delete;

  void take() override;
  void await() override;
  std::pair<Parameters, OptimizerState> hand_out() override;

 private:
  enum class Has : std::uint8_t { kNothing, kUnderWay, kArrived };

  void look_at_network();
  Parameters unpacked(std::size_t part) const;

  Runtime& runtime_;
  const Network& network_;
  StreamHandle compute_;
  std::function<std::optional<std::uint64_t>()> steps_now_;
  Event done_;
  std::vector<StatePart> parts_;  // the parameters, then what the optimizer keeps
  std::vector<PinnedBuffer> memory_;
  std::optional<std::uint64_t> steps_;
  Has has_ = Has::kNothing;
};

}  // namespace millrace::cuda
