#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compute/engine.h"
#include "formats/dataset.h"
#include "loader/bad_sample.h"
#include "loader/standardizer.h"
#include "loader/stats.h"

namespace millrace {

/// Known before the first step.
struct RunInfo {
  EngineInfo engine;
  std::string dataset;  ///< name of the training set
  std::string dataset_hash;
  std::string residency;            ///< in effect: "resident", "host" or "stream"
  std::uint64_t window_blocks = 0;  ///< of a stream: blocks that are mixed at a time
  double mixing = 1.0;  ///< of a stream: how well it mixes the classes, 0 to 1; see mixing_score()
  std::uint64_t train_samples = 0;
  std::uint64_t validation_samples = 0;
  std::uint64_t test_samples = 0;
  Task task = Task::kClassification;
  std::vector<std::uint32_t> widths;  ///< of the layers, input and output included
  std::uint64_t parameters = 0;
  /// What is done to all samples before the engine sees them; null: nothing.
  std::shared_ptr<const Standardizer> standardizer = {};
  std::vector<TargetScale> target_scales = {};  ///< see MlpSpec
  OnBad on_bad = OnBad::kFail;
  std::uint64_t bad_budget = 0;  ///< bad samples of the training set that the run stands
  std::uint64_t epochs = 0;
  std::uint64_t steps_per_epoch = 0;
  std::uint64_t first_epoch = 0;  ///< where a resumed run goes on
  std::uint64_t first_step_in_epoch = 0;
  std::filesystem::path resumed_from;  ///< empty for a new run
};

/// Within an epoch, after a chunk.
struct Progress {
  std::uint64_t epoch = 0;
  std::uint64_t step = 0;   ///< in the epoch, done so far
  std::uint64_t steps = 0;  ///< of the epoch
  double samples_per_s = 0.0;
  double mean_loss = 0.0;  ///< of the epoch so far
  // Since the Progress before, shares from 0 to 1:
  double training = 0.0;  ///< of the time, that the run did not wait for samples
  double loading = 0.0;   ///< of the workers' time, that they filled chunks
};

/// Accuracies are those of classes, or of all labels that samples have or have not. Of a regression
/// there are, in their place, R² and, of one target, the root of the mean squared error in its
/// unit; see r2().
struct EpochResult {
  std::uint64_t epoch = 0;
  double train_loss = 0.0;
  double train_acc = 0.0;          ///< 0 of a regression
  std::optional<double> val_loss;  ///< none without validation samples
  std::optional<double> val_acc;
  std::optional<double> learning_rate;  ///< of its last step; none in checkpoints that lack it
  double train_s = 0.0;
  double val_s = 0.0;
  bool partial =
      false;  ///< the first part was trained before a resume: train_s counts this part only
  std::optional<double> train_r2 = {};
  std::optional<double> val_r2 = {};
  std::optional<double> val_rmse = {};
};

struct RunResult {
  std::vector<EpochResult> history;
  std::optional<double> test_loss;
  std::optional<double> test_acc;
  std::optional<double> test_r2;
  std::optional<double> test_rmse;
  bool stopped = false;                    ///< by request, before the last epoch
  std::optional<std::string> ended_early;  ///< why, by the run's own rule; none after all epochs
  std::optional<double> target_s;          ///< training and validation until the target accuracy
  std::filesystem::path checkpoint;        ///< the newest one written; empty if none
  std::string weights_hash;       ///< XXH3-128 of all parameter bytes in order, 32 hex digits
  std::uint64_t bad_samples = 0;  ///< of the training set, validation included; met by this process
  std::uint64_t bad_test_samples = 0;
  double fit_s = 0.0;
  double checkpoint_s = 0.0;   ///< of fit_s: copying states, and waiting for their files
  double samples_per_s = 0.0;  ///< training samples over the sum of train_s
  LoaderStats train_loader;
  EngineStats engine;
  std::string verdict;  ///< one sentence: what the run was waiting for
};

/// Hears of a run's progress; the trainer itself prints nothing. Called from the thread that calls
/// fit().
class TrainObserver {
 public:
  virtual ~TrainObserver() = default;
  /// Whether on_epoch() may come when the next epoch is already under way. A device then need not
  /// wait between two epochs; but the engine is no longer as the epoch left it. Only where all
  /// observers say so.
  virtual bool may_lag() const { return false; }
  virtual void on_start(const RunInfo&) {}
  virtual void on_progress(const Progress&) {}
  virtual void on_epoch(const EpochResult&) {}
  /// A checkpoint is there, written a while ago; of one with several names this is the last. Where
  /// training is faster than the disk there is not one for each epoch.
  virtual void on_checkpoint(const std::filesystem::path&) {}
  /// A sample of data set `dataset` cannot be read, and the run goes on; told once for each. Some
  /// are known before on_start().
  virtual void on_bad_sample(const std::string& /*dataset*/, const BadSample& /*sample*/) {}
  virtual void on_notice(const std::string&) {}  ///< something the user should know; not an error
  virtual void on_finish(const RunResult&) {}
};

}  // namespace millrace
