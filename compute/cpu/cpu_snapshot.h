#pragma once

#include <optional>
#include <stdexcept>
#include <utility>

#include "compute/engine.h"

namespace millrace::cpu {

/// Of an engine whose work is done when a call returns: the copy is made at once, and is itself
/// what is handed out. The next one finds its memory again in the allocator.
class CpuSnapshot final : public Snapshot {
 public:
  explicit CpuSnapshot(Engine& engine) : engine_(engine) {}

  void take() override { taken_.emplace(engine_.parameters(), engine_.optimizer_state()); }
  void await() override {}
  std::pair<Parameters, OptimizerState> hand_out() override {
    if (!taken_) throw std::logic_error("snapshot: nothing was taken");
    return *std::exchange(taken_, std::nullopt);
  }

 private:
  Engine& engine_;
  std::optional<std::pair<Parameters, OptimizerState>> taken_;
};

}  // namespace millrace::cpu
