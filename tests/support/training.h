#pragma once

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/memory_dataset.h"
#include "train/trainer.h"

// Small whole runs on the CPU, for tests of what ends in the same bits.

namespace millrace::test {

inline std::shared_ptr<const Dataset> training_data() { return memory_dataset({}); }
inline std::shared_ptr<const Dataset> test_data() {
  return memory_dataset({.size = 90, .seed = 7, .name = "memory-test"});
}

/// 260 training samples in 17 steps of 16, the last of 4; 40 for validation; two hidden layers.
inline RunSpec small_run() {
  RunSpec spec;
  spec.hidden = {12, 8};
  spec.batch = 16;
  spec.validation_size = 40;
  spec.optimizer = {0.2F, 0.9F, 0.001F};
  spec.seed = 42;
  spec.epochs = 3;
  spec.device.kind = Device::Kind::kCpu;
  spec.device.threads = 1;
  spec.workers = 1;
  return spec;
}

/// Writes down all that an observer hears.
class Recorder : public TrainObserver {
 public:
  void on_start(const RunInfo& info) override { started.push_back(info); }
  void on_epoch(const EpochResult& epoch) override { epochs.push_back(epoch); }
  void on_checkpoint(const std::filesystem::path& path) override {
    checkpoints.push_back(path.filename().string());
    if (when_saved) when_saved(path);
  }
  void on_notice(const std::string& line) override { notices.push_back(line); }
  void on_finish(const RunResult& result) override { finished.push_back(result); }

  std::vector<RunInfo> started;
  std::vector<EpochResult> epochs;
  std::vector<std::string> checkpoints;
  std::vector<std::string> notices;
  std::vector<RunResult> finished;
  std::function<void(const std::filesystem::path&)> when_saved;
};

inline RunResult run(const RunSpec& spec, std::shared_ptr<const Dataset> train = training_data(),
                     std::shared_ptr<const Dataset> test = test_data(),
                     std::vector<TrainObserver*> observers = {}) {
  const std::atomic<bool> never{false};
  return Trainer(spec, std::move(train), std::move(test), std::move(observers)).fit(never);
}

/// Everything of a result but times, with all bits of its numbers.
inline std::string outcome(const RunResult& result) {
  const auto text = [](double value) {
    char digits[40];
    std::snprintf(digits, sizeof digits, "%a", value);
    return std::string(digits);
  };
  const auto maybe = [&](const std::optional<double>& v) { return v ? text(*v) : "none"; };
  std::string all = result.weights_hash + " test " + maybe(result.test_loss) + ' ' +
                    maybe(result.test_acc) + (result.test_r2 ? ' ' + text(*result.test_r2) : "");
  for (const EpochResult& e : result.history) {
    all += "\nepoch " + std::to_string(e.epoch) + ' ' + text(e.train_loss) + ' ' +
           text(e.train_acc) + ' ' + maybe(e.val_loss) + ' ' + maybe(e.val_acc);
    if (e.train_r2) all += ' ' + text(*e.train_r2) + ' ' + maybe(e.val_r2);
  }
  return all;
}

}  // namespace millrace::test
