#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "compute/engine.h"
#include "loader/loader.h"

namespace millrace {

/// Passes over one part of a data set, without training.
class Evaluator {
 public:
  /// `spec.epochs` passes can be had; its batch is what one Engine::evaluate() gets. `engine`
  /// outlives the evaluator.
  Evaluator(Engine& engine, LoaderSpec spec);

  /// Loss and correct predictions over all samples; nullopt if `stop` was set before the end, after
  /// which no pass can be had. The engine's metrics must be drained before; they are afterwards.
  std::optional<Metrics> pass(const std::atomic<bool>& stop);

 private:
  Engine& engine_;
  Loader loader_;
};

}  // namespace millrace
