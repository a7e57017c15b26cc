#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "compute/engine.h"
#include "formats/folder.h"
#include "train/checkpoint.h"

namespace millrace {

/// A checkpoint to be used, not to be trained on.
struct TrainedModel {
  std::filesystem::path path;
  Checkpoint checkpoint;
  MlpSpec spec;

  /// Of one sample; one dimension where the checkpoint does not know better.
  SampleShape sample_shape() const;
  Task task() const noexcept { return task_of(spec.loss); }
  /// "784-32-10"
  std::string widths() const;
};

/// Of the samples that it was trained on; its engine takes what seen_by() makes of them.
inline InputType stored_type(const TrainedModel& model) noexcept {
  return model.checkpoint.state.options.sample.input;
}

/// Throws what load_checkpoint() throws.
TrainedModel load_model(const std::filesystem::path& path);

/// Throws DataError naming the checkpoint and everything in which `data` is not what the model
/// takes: "samples: model 28x28 uint8, data/mnist 32x32 uint8; classes: model 10, data/mnist 26",
/// "class 1: model \"elm\", trees \"fir\"", "column 3: model \"width\", trees \"height\"".
/// Fewer classes are no difference, unless both name theirs; nor are columns without names.
/// Targets are as many, and called the same where both name them.
void check_goes_with(const TrainedModel& model, const Dataset& data);

/// `data` as the model's engine takes them: standardised where those that it was trained on were.
/// Throws what check_goes_with() throws.
std::shared_ptr<const Dataset> seen_by(const TrainedModel& model,
                                       std::shared_ptr<const Dataset> data);

/// What is known of data that the model is for, by which files are opened that say it themselves.
KnownData known_data(const TrainedModel& model);

/// "a.csv: …": where samples are taken for the model's by the places of their values, although one
/// of both knows the names of columns; else nullopt. Precondition: they go together.
std::optional<std::string> matched_by_place(const TrainedModel& model, const Dataset& data);

/// An engine that holds the model, computing in the precision that it was trained in. Throws what
/// make_engine() throws.
std::unique_ptr<Engine> make_engine(const TrainedModel& model, const Device& device);

}  // namespace millrace
