#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "compute/engine.h"
#include "formats/dataset.h"
#include "train/checkpoint.h"
#include "train/checkpoint_dir.h"
#include "train/plan.h"
#include "train/schedule.h"
#include "train/trainer.h"

namespace millrace {

/// An engine with the parameters that a run starts from, and where in the run that is.
struct RunSetup {
  RunPlan plan;
  std::optional<Schedule> schedule;  ///< always there
  std::unique_ptr<Engine> engine;
  std::optional<CheckpointDir> checkpoints;  ///< none without a checkpoint_dir
  RunState state;
  std::filesystem::path resumed_from;  ///< empty for a new run
  /// What is done to all samples before the engine sees them; null: nothing.
  std::shared_ptr<const Standardizer> standardizer;
};

/// Plans the run, makes the engine, checks the checkpoint folder, and resumes or initialises as the
/// spec says. What the user should know goes to `notice`. `make`: make_engine() where it is empty.
/// Throws what the constructor of Trainer does.
RunSetup set_up(const RunSpec& spec, const std::shared_ptr<const Dataset>& train,
                const Dataset* test, const std::function<void(const std::string&)>& notice,
                const EngineMaker& make);

}  // namespace millrace
