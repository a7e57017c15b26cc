#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "compute/engine.h"
#include "formats/dataset.h"
#include "loader/augment.h"
#include "loader/bad_sample.h"
#include "loader/loader.h"
#include "loader/subset.h"
#include "train/bad_ledger.h"
#include "train/checkpoint.h"
#include "train/class_weights.h"
#include "train/observer.h"
#include "train/schedule.h"
#include "train/stopping.h"

namespace millrace {

/// Where the data set lives during training: with the model, in host memory, or on disk (kStream);
/// kAuto takes the first that fits.
enum class Residency : std::uint8_t { kAuto, kResident, kHost, kStream };

/// All that defines a run. The fields up to `bad_budget`, `init` and whether it streams decide the
/// result; the others how fast it comes and what is kept.
struct RunSpec {
  std::vector<std::uint32_t> hidden{32};
  std::uint32_t batch = 128;
  std::uint32_t accumulate = 1;  ///< batches of a step: see TrainSpec::micro_batch
  std::uint64_t validation_size = 10'000;
  /// What is validated on, in place of training samples: validation_size is 0 then.
  std::shared_ptr<const Dataset> validation = {};
  /// Or the fold of the training samples that it is validated on; validation_size does not matter
  /// then.
  Fold fold = {};
  bool batch_norm = false;                          ///< of the hidden layers; see MlpSpec
  float dropout = 0.0F;                             ///< of the hidden layers; see MlpSpec
  Activation activation = Activation::kRelu;        ///< of the hidden layers
  Initializer initializer = Initializer::kPyTorch;  ///< of the first weights, where no `init` is
  float label_smoothing = 0.0F;                     ///< see TrainSpec
  ClassWeights class_weights;                       ///< of the loss in training
  Loss loss = Loss::kSquaredError;                  ///< of a regression, a loss of numbers
  /// Of a regression: the network sees targets that have mean 0 and deviation 1 over the training
  /// samples (MlpSpec::target_scales).
  bool standardize_targets = true;
  /// The network sees samples whose features have mean 0 and deviation 1 over the training samples;
  /// see Standardizer. Not of images of bytes.
  bool standardize = false;
  AugmentSpec augment;  ///< of training samples; not with Residency::kResident
  OptimizerSpec optimizer;
  ScheduleSpec schedule;  ///< of optimizer.learning_rate
  StoppingSpec stopping;  ///< before the last epoch
  Precision precision = Precision::kFloat32;
  std::uint64_t seed = 0;
  std::uint64_t epochs = 10;
  bool shuffle = true;
  /// Memory of the window in which a stream is mixed; there are two. Decides the result of a
  /// stream.
  std::uint64_t window_bytes = std::uint64_t{32} << 20;
  /// What becomes of training samples that cannot be read: kFail, kSkip or kSubstitute. But for
  /// kFail, those of validation and test are left out of what is measured.
  OnBad on_bad = OnBad::kFail;
  BadBudget bad_budget;  ///< more bad samples of the training or of the test set end the run

  Device device;
  Residency residency = Residency::kAuto;
  std::uint32_t chunk_batches = 0;  ///< 0: chosen from the sample size
  std::uint32_t slots = 3;
  std::uint32_t workers = 0;  ///< 0: the cores this process may use; see workers_beside()

  /// Parameters to start from (safetensors), or a folder of checkpoints (checkpoint_meant());
  /// empty: random.
  std::filesystem::path init;
  std::filesystem::path checkpoint_dir;  ///< empty: no checkpoints
  std::uint64_t checkpoint_every = 0;    ///< steps between step-N checkpoints; 0: none
  std::uint32_t keep = 3;                ///< newest step-N checkpoints kept
  bool resume = false;  ///< go on from `resume_from`, or the newest good one in checkpoint_dir
  std::filesystem::path resume_from;  ///< a file, or a folder: its newest good one

  /// fit() leaves the run as it stands after so many epochs, as if they were the last; 0: at its
  /// end. Trainer::checkpoint() is then what another one goes on from, with as many more epochs or
  /// all, and ends in the bits of a run that was never left.
  std::uint64_t pause_after = 0;
  std::shared_ptr<const Checkpoint> resume_state = {};  ///< in place of a file
};

/// The loss of a step was not finite. Exit status 3.
class DivergedError : public std::runtime_error {
 public:
  DivergedError(std::uint64_t step, std::uint64_t epoch, const std::string& hint);
  std::uint64_t step() const noexcept { return step_; }  ///< counted from 0 over the whole run

 private:
  std::uint64_t step_;
};

/// Makes the engine of a run, as make_engine() does.
using EngineMaker =
    std::function<std::unique_ptr<Engine>(const MlpSpec&, const TrainSpec&, const Device&)>;

/// Runs epochs, validation, test and checkpoints over one engine and its loaders.
///
/// With an engine that runs ahead (EngineInfo::runs_ahead), validation follows training without a
/// wait, and an epoch begins before the one before it is judged and told, where nothing can come of
/// that: no reason to stop, no observer that looks at the engine. Results are the same, bit for
/// bit.
///
/// Checkpoints are written beside training, by a thread of their own; see CheckpointWriter for what
/// happens where the disk is slower.
class Trainer {
 public:
  /// Makes the engine, and the checkpoint folder where it is missing, and reads what the run starts
  /// from; reads no samples but to hash them. Throws std::invalid_argument for a spec that cannot
  /// run (validation_size ≥ the data, …), DataError for a folder that cannot be written, for init
  /// or resume files that do not fit and for a test set that does not go with `train`, DeviceError.
  /// `test` may be null. Observers outlive the trainer; they hear notices already here. `make`:
  /// make_engine() where it is empty.
  Trainer(RunSpec spec, std::shared_ptr<const Dataset> train, std::shared_ptr<const Dataset> test,
          std::vector<TrainObserver*> observers, const EngineMaker& make = {});
  ~Trainer();

  /// Trains to the last epoch, or until `stop` becomes true, which is looked at about every 25 ms:
  /// then it saves a checkpoint where there is a checkpoint_dir, and returns with
  /// RunResult::stopped set. Throws std::invalid_argument where the memory at hand does not hold
  /// the chunks or windows that the spec asks for. Throws DivergedError; the last good checkpoint
  /// stays as it was. Throws DataError for samples that cannot be read (see RunSpec::on_bad), for a
  /// sample that is not finite where it is why training diverged, and for a checkpoint that cannot
  /// be written: within a few epochs, and the first of several errors. However it ends, the
  /// checkpoints that were due are written before. To be called once.
  RunResult fit(const std::atomic<bool>& stop);

  Engine& engine();
  /// The run as it stands, as its next checkpoint would have it. Not during fit().
  Checkpoint checkpoint();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace
