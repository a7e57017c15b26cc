#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compute/engine.h"
#include "compute/spec.h"
#include "formats/dataset.h"
#include "loader/augment.h"
#include "loader/bad_sample.h"
#include "loader/standardizer.h"
#include "loader/subset.h"
#include "train/observer.h"
#include "train/schedule.h"

namespace millrace {

/// What one sample of the training set was, so that a checkpoint can be used without that set.
struct SampleSpec {
  std::vector<std::uint64_t> shape;     ///< outermost first; empty: not recorded
  InputType input = InputType::kUInt8;  ///< as stored
  float scale = 1.0F / 255.0F;          ///< the network sees scale * sample
  /// Of grey pictures: the share that is dark on light (dark_on_light.h); nullopt: not recorded.
  std::optional<double> dark_on_light = {};
  /// The network sees what it makes of samples, in place of their scale; null: there is none.
  std::shared_ptr<const Standardizer> standardizer = {};
};

/// What is learnt by making that loss small.
constexpr Task task_of(Loss loss) noexcept {
  if (loss == Loss::kCrossEntropy) return Task::kClassification;
  return loss == Loss::kBinaryCrossEntropy ? Task::kMultilabel : Task::kRegression;
}

/// What decides the bits of a run, as its checkpoints record it.
struct RunOptions {
  std::vector<std::uint32_t> widths;  ///< of the layers, input and output included
  std::uint32_t batch = 0;
  std::uint64_t validation_size = 0;
  OptimizerSpec optimizer;
  Precision precision = Precision::kFloat32;  ///< in effect
  std::uint64_t seed = 0;
  bool shuffle = true;
  ScheduleSpec schedule{};
  std::uint64_t schedule_epochs = 0;  ///< that the schedule is made for; 0 where it does not matter
  SampleSpec sample{};
  bool batch_norm = false;
  float dropout = 0.0F;
  Activation activation = Activation::kRelu;
  float label_smoothing = 0.0F;
  AugmentSpec augment{};
  std::uint64_t window_blocks = 0;  ///< that are mixed at a time; 0: not streamed
  OnBad on_bad = OnBad::kFail;
  std::uint32_t accumulate = 1;           ///< batches of a step
  std::string validation_hash = {};       ///< of a validation set of its own; empty: there was none
  std::vector<float> class_weights = {};  ///< [classes], in effect; empty: all were 1
  Loss loss = Loss::kCrossEntropy;
  std::vector<TargetScale> target_scales = {};  ///< see MlpSpec
  Fold fold = {};                               ///< that it is validated on; see RunSpec

  Task task() const noexcept { return task_of(loss); }
};

/// Sums over the steps of an epoch done so far. Losses are multiples of 2^-24, so that sums of them
/// are exact however they are grouped, up to 2^29: for 60,000 samples a mean loss of some 9,000.
/// Above, the last digits depend on when the engine was asked for its sums; to be exact there too,
/// engines and checkpoints would have to carry two numbers for each sum.
struct EpochSums {
  double loss_sum = 0.0;
  std::uint64_t correct = 0;
  std::uint64_t samples = 0;
  double squared_error_sum = 0.0;  ///< see Metrics
  double squared_error_rest = 0.0;

  double mean_squared_error() const noexcept {
    return (squared_error_sum + squared_error_rest) / static_cast<double>(samples);
  }

  bool operator==(const EpochSums&) const = default;
};

/// Where a run stands between two steps.
struct RunState {
  std::uint64_t epoch = 0;
  std::uint64_t batch =
      0;                   ///< steps of that epoch done; all of them: validation is what comes next
  std::uint64_t step = 0;  ///< steps of the whole run done
  std::string dataset_hash;  ///< of the training set
  /// Of all its classes, by label; empty: they have none but their numbers, or were not recorded.
  std::vector<std::string> class_names;
  ColumnNames columns;  ///< of its samples; empty: they have none, or were not recorded
  RunOptions options;
  EpochSums sums;                    ///< of the running epoch
  std::vector<EpochResult> history;  ///< of the epochs before it
};

struct Checkpoint {
  Parameters parameters;
  OptimizerState optimizer;
  RunState state;
};

/// Writes a safetensors file, whole or not at all. Its tensors are the parameters under their own
/// names ("0.weight", …), which torch.nn.Module.load_state_dict takes, and beside them the
/// optimizer's state as "optimizer.0.weight.momentum", "optimizer.0.weight.exp_avg", …. With
/// OptimizerSpec::ema the parameters are the averages, and what training goes on with is
/// "optimizer.0.weight.raw", …; of a model of standardised samples "input.mean" and "input.std" are
/// what was done to them, and of one of scaled targets "target.mean" and "target.std" (MlpSpec);
/// `__metadata__` holds the run state in entries "millrace.*". Throws DataError if it cannot be
/// written: an older file at `path` is then still there.
void save_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

/// The model that a run with these options trains. Where no sample was recorded (files of older
/// versions), samples are vectors of uint8.
MlpSpec model_of(const RunOptions& options);

/// Reads what save_checkpoint() wrote, parameters in state_dict order. Throws DataError for a file
/// that is damaged, is no checkpoint of this program (plain parameters, a later format), or whose
/// tensors are not those of the model it names.
Checkpoint load_checkpoint(const std::filesystem::path& path);

/// The parameters of `model` from any safetensors file that has them as float32; its optimizer
/// tensors and what was done to its samples are passed over, and so is PyTorch's
/// "….num_batches_tracked" of a normalised layer.
/// Throws DataError naming the first tensor that is missing, left over,
/// not finite or of another type or shape, with what was expected and found.
Parameters load_parameters(const std::filesystem::path& path, const MlpSpec& model);

/// What was done to the samples that a safetensors file's parameters were trained on, of so many
/// features each; null where it says nothing of that. Throws DataError naming the tensor that is
/// missing, not finite, of another type or shape, or holds a deviation that is not above 0.
std::shared_ptr<const Standardizer> load_standardizer(const std::filesystem::path& path,
                                                      std::uint64_t features);

/// Likewise of so many targets; empty where the file says nothing of scales.
std::vector<TargetScale> load_target_scales(const std::filesystem::path& path,
                                            std::uint64_t targets);

}  // namespace millrace
