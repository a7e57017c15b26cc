#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "compute/engine.h"
#include "loader/loader.h"

namespace millrace {

/// Passes over one part of a data set, without training.
class Evaluator {
 public:
  using Report = std::function<void(std::span<const BadPlace>)>;

  /// `spec.epochs` passes can be had; its batch is what one Engine::evaluate() gets. `engine`
  /// outlives the evaluator. Samples that cannot be read throw where spec.on_bad is kFail; else
  /// they are left out, and `report`, needed then, hears of those of packed chunks.
  Evaluator(Engine& engine, LoaderSpec spec, Report report = {});

  /// Loss and correct predictions over all samples; throws DataError where none can be read.
  /// nullopt if `stop` was set before the end, after
  /// which no pass can be had. The engine's metrics must be drained before; they are afterwards.
  std::optional<Metrics> pass(const std::atomic<bool>& stop);
  /// Its two halves. The first hands all samples over to the engine and ends its sums, the second
  /// fetches those; in between the engine may be given other work, and has to be asked for the
  /// metrics that are older.
  void begin_pass(const std::atomic<bool>& stop);
  std::optional<Metrics> end_pass();
  /// False if `stop` ended the first half of the last pass: end_pass() then has no metrics.
  bool whole() const noexcept { return whole_; }

 private:
  bool hand_over(const std::atomic<bool>& stop);

  Engine& engine_;
  std::string data_;  // name, for messages
  Report report_;
  bool whole_ = false;  // the last pass
  Loader loader_;
};

}  // namespace millrace
