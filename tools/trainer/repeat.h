#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>

#include "train/trainer.h"

namespace millrace {

/// What one of several runs that differ in their seed came to.
struct SeedResult {
  std::uint64_t seed = 0;
  std::optional<double> val_score;  ///< accuracy or R², of the last epoch
  std::optional<double> test_score;
  double train_s = 0.0;  ///< of all epochs
  std::string weights_hash;
  Task task = Task::kClassification;
};
SeedResult seed_result(std::uint64_t seed, Task task, const RunResult& result);

struct Spread {
  double mean = 0.0;
  double deviation = 0.0;  ///< of the sample, over n - 1; 0 of a single number
};
/// Throws std::invalid_argument where there is no number.
Spread spread_of(std::span<const double> numbers);

/// "seed-3", the folder of a seed's files beside those of the others.
std::string seed_folder(std::uint64_t seed);
/// `spec` for its seed + `index`, with a checkpoint folder of that seed's own within its own.
RunSpec spec_of_seed(const RunSpec& spec, std::uint64_t index);

/// "Seed 3: val_acc 0.9626, test_acc 0.9661, training 0.31 s, weights e288…"
std::string seed_line(const SeedResult& result);
/// "Mean of 5 seeds: val_acc 0.9620 ± 0.0012, …", or of 2 of 5. An accuracy that a seed lacks is
/// left out. Of a regression all have r2 in place of acc.
std::string mean_line(std::span<const SeedResult> results, std::uint64_t wanted);
/// {"repeat": 5, "seeds": [{"seed": 0, "val_acc": …, "test_acc": …, "train_s": …, "weights_hash":
/// …}, …], "val_acc_mean": …, "val_acc_deviation": …, "test_acc_…", "train_s_…"}; null for an
/// accuracy that a seed lacks.
nlohmann::ordered_json repeat_record(std::span<const SeedResult> results);

}  // namespace millrace
