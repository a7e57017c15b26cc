#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include "tools/console/console.h"
#include "tools/trainer/bad_options.h"
#include "train/observer.h"
#include "train/trainer.h"

namespace millrace {

/// "Epoch [0], val_loss: 0.2234, val_acc: 0.9354, train_loss: 0.3011, train_s: 0.041"; without
/// validation samples "Epoch [0], train_loss: 0.3011, train_acc: 0.9132, train_s: 0.041".
/// Of a regression r2 stands in place of acc.
std::string epoch_line(const EpochResult& epoch);

/// "Bad samples: 3 of 60000 skipped (at most 60), 1 of 10000 left out of the test"; "Bad samples:
/// none".
std::string bad_samples_line(const RunInfo& info, const RunResult& result);

/// Prints a run: what it is before the first step, a line an epoch, a progress bar meanwhile, and
/// what came of it.
class ConsoleObserver final : public TrainObserver {
 public:
  explicit ConsoleObserver(Console& console) : console_(console), bad_(console) {}

  /// One line on the data set.
  void set_data(std::string description) { data_ = std::move(description); }
  /// See MetricsObserver::set_times().
  void set_times(double began_s, double load_s) {
    began_s_ = began_s;
    load_s_ = load_s;
  }
  /// `window_given`: by the user, who is told where nothing is streamed.
  void set_run(const RunSpec& spec, bool window_given = false);
  /// Where bad samples are named.
  void set_quarantine(std::filesystem::path path) { bad_.set_quarantine(std::move(path)); }

  bool may_lag() const override { return true; }
  void on_start(const RunInfo& info) override;
  void on_progress(const Progress& progress) override;
  void on_epoch(const EpochResult& epoch) override;
  void on_bad_sample(const std::string& dataset, const BadSample& sample) override;
  void on_notice(const std::string& text) override { console_.notice(text); }
  void on_finish(const RunResult& result) override;

 private:
  void line(const std::string& text);
  void print_times(const RunResult& result);

  Console& console_;
  std::string data_;
  std::string recipe_;
  OnBad on_bad_ = OnBad::kFail;
  bool window_given_ = false;
  std::uint32_t threads_ = 0;
  BadWarnings bad_;
  double began_s_ = 0.0;
  double load_s_ = 0.0;
  RunInfo info_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace millrace
