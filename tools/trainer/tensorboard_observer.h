#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "compute/engine.h"
#include "formats/dataset.h"
#include "tools/console/console.h"
#include "tools/tensorboard/event_file.h"
#include "train/observer.h"

namespace millrace {

/// Writes a run's figures for TensorBoard: each epoch losses, accuracies, learning rate, speed and
/// histograms of the parameters; once a few samples as pictures, where they are pictures. A file
/// that fails on the way is told once, as a warning; the run goes on.
class TensorboardObserver final : public TrainObserver {
 public:
  /// `resumed`: the run may go on from a checkpoint; what the folder tells of later epochs is then
  /// shown no more. `console` outlives the observer.
  TensorboardObserver(std::filesystem::path folder, bool resumed, Console& console);

  /// What the figures are of, to be told before training begins. Makes a file in the folder, and
  /// throws DataError if it cannot. `engine` outlives the observer.
  void begin(Engine& engine, const Dataset& train);
  void on_start(const RunInfo& info) override;
  void on_epoch(const EpochResult& epoch) override;
  void on_finish(const RunResult& result) override;

  bool failed() const noexcept { return file_ && !file_->error().empty(); }

 private:
  void warn_of_failure();
  void write(std::uint64_t epoch, const Summary& summary);

  std::filesystem::path folder_;
  bool resumed_;
  bool warned_ = false;
  Summary samples_;
  std::optional<EventFile> file_;  // none before begin(): a run that never starts leaves none
  Console& console_;
  Engine* engine_ = nullptr;
  RunInfo info_;
};

/// At most `most` of the first samples of a data set as pictures; none where they are no pictures.
std::vector<Picture> first_pictures(const Dataset& data, std::size_t most);

}  // namespace millrace
