#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "compute/engine.h"
#include "train/confusion.h"
#include "train/label_scores.h"
#include "train/predictions.h"
#include "train/target_errors.h"
#include "train/trained_model.h"

namespace millrace {

/// A trained model, and the engine that computes it, which is made when it is first needed. Any
/// thread may call; one at a time computes.
class Model {
 public:
  Model(TrainedModel trained, const Device& device);
  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  const TrainedModel& trained() const noexcept { return trained_; }
  /// What the model says of each sample in their order: logits, without softmax or sigmoid, or the
  /// targets that it predicts, in their own units; [count, classes or targets], row-major. Throws
  /// DataError where the data do not go with the model, cannot be read or have a value that is not
  /// finite, DeviceError.
  std::vector<float> outputs(const Part& part);

  /// The most probable label of each; of a model of classes. Throws as outputs().
  std::vector<std::int32_t> labels(const Part& part);

  struct Evaluation {
    Metrics metrics;
    Confusion confusion;                 ///< without classes where they are not what is learnt
    std::optional<TargetErrors> errors;  ///< of a regression
    std::optional<LabelScores> labels;   ///< that samples have or have not
  };
  /// How good it is. Throws as outputs().
  Evaluation evaluate(const Part& part);

 private:
  // Throws as outputs().
  Metrics look_at(const Part& part, const std::function<void(const Prediction&)>& take);

  const TrainedModel trained_;
  const Device device_;
  std::mutex mutex_;
  pid_t process_ = getpid();  ///< whose engine_ is
  std::unique_ptr<Engine> engine_;
};

}  // namespace millrace
