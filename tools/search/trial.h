#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tools/search/space.h"
#include "train/trainer.h"

namespace millrace {

/// What one run of a trial came to: its best epoch (is_better()), which is what
/// best.safetensors holds.
struct TrialRun {
  std::uint64_t seed = 0;
  std::uint32_t fold = 0;    ///< from 1; 0 where there are none
  double score = 0.0;        ///< of validation: accuracy, or R²
  double loss = 0.0;         ///< of validation
  std::uint64_t epoch = 0;   ///< the best one
  std::uint64_t epochs = 0;  ///< that were trained
  double train_s = 0.0;      ///< of all of them
  std::string weights_hash;  ///< in the end
  std::string diverged;      ///< why there is no score; else empty

  bool operator==(const TrialRun&) const = default;
};

/// Of a run that ended by itself, with validation. A score or a loss that is no number counts as
/// diverged.
TrialRun trial_run(const RunSpec& spec, const RunResult& result);
TrialRun diverged_run(const RunSpec& spec, const std::string& why);
/// The run of `spec`, to be looked for: without a result.
TrialRun named_run(const RunSpec& spec);

/// {"seed": 0, "score": 0.97, "loss": 0.1, "epoch": 7, "epochs": 10, "train_s": 0.3,
/// "weights_hash": "…"}, or {"seed": 0, "diverged": "why"}; with "fold" behind the seed where there
/// are folds.
nlohmann::ordered_json to_json(const TrialRun& run);
/// nullopt for anything else.
std::optional<TrialRun> trial_run_in(const nlohmann::ordered_json& json);

/// A combination and its runs, one a seed, or a fold.
struct Trial {
  std::uint64_t number = 0;  ///< from 1
  Combination values;
  std::vector<TrialRun> runs;
  std::size_t rung = 0;  ///< that it has come to, of a search that gives up what is behind

  bool diverged() const;
  double score() const;  ///< the mean of its runs'
  double loss() const;
  std::uint64_t epochs() const;  ///< that were trained, at most
};

/// The best first: by the rung that they came to, the higher score, the lower loss, the lower
/// number; those that diverged last. Trials without a run are left out.
std::vector<Trial> ranked(std::span<const Trial> trials);

/// A table of the first `most` for people, a line each under a heading; `ranked` are ranked, and
/// `score` what their score is called: "val_acc". With `rungs` it says of each how far it came.
std::vector<std::string> ranking(std::span<const Trial> ranked, std::span<const Axis> axes,
                                 const std::string& score, std::size_t most, bool rungs = false);

}  // namespace millrace
