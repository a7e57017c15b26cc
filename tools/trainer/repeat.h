#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "train/trainer.h"

namespace millrace {

/// What one of several runs that differ in their seed, or in their fold, came to.
struct RepeatResult {
  std::uint64_t seed = 0;
  std::optional<double> val_score;  ///< accuracy or R², of the last epoch
  std::optional<double> test_score;
  double train_s = 0.0;  ///< of all epochs
  std::string weights_hash;
  Task task = Task::kClassification;
  Fold fold = {};
};
RepeatResult repeat_result(const RunSpec& spec, Task task, const RunResult& result);

/// What a task's score is called: "acc", or "r2".
const char* score_of(Task task);

struct Spread {
  double mean = 0.0;
  double deviation = 0.0;  ///< of the sample, over n - 1; 0 of a single number
};
/// Throws std::invalid_argument where there is no number.
Spread spread_of(std::span<const double> numbers);

/// What one of several runs is called: {"seed", 3}, or {"fold", 1} for the first.
std::pair<std::string, std::uint64_t> run_name(const RunSpec& spec);
/// "seed-3", the folder of a run's files beside those of the others.
std::string run_folder(const RunSpec& spec);
/// The run of `spec` with that index: of its fold, where there are folds, else of its seed +
/// `index`; with a checkpoint folder of its own within that of `spec`.
RunSpec spec_of_run(const RunSpec& spec, std::uint64_t index);

/// "Seed 3: val_acc 0.9626, test_acc 0.9661, training 0.31 s, weights e288…"
std::string repeat_line(const RepeatResult& result);
/// "Mean of 5 seeds: val_acc 0.9620 ± 0.0012, …", or of 2 of 5; or of folds. An accuracy that a run
/// lacks is left out. Of a regression all have r2 in place of acc.
std::string mean_line(std::span<const RepeatResult> results, std::uint64_t wanted);
/// {"repeat": 5, "seeds": [{"seed": 0, "val_acc": …, "test_acc": …, "train_s": …, "weights_hash":
/// …}, …], "val_acc_mean": …, "val_acc_deviation": …, "test_acc_…", "train_s_…"}; null for an
/// accuracy that a run lacks. Of folds "folds" in place of "seeds", {"fold": 1, "val_acc": …, …}.
nlohmann::ordered_json repeat_record(std::span<const RepeatResult> results);

}  // namespace millrace
