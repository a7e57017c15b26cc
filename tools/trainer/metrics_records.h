#pragma once

#include <nlohmann/json_fwd.hpp>

#include "train/observer.h"

namespace millrace {

/// Seconds outside of Trainer::fit(), and memory. A later one of several runs has nothing to load,
/// and begins where the one before it is over.
struct ProcessFigures {
  double load_s = 0.0;  ///< opening and decoding the data set
  double wall_s = 0.0;  ///< since the process was started
  double peak_rss_mb = 0.0;
};

/// {"epoch": 0, "train_loss": …, "train_acc": …, "val_loss": …, "val_acc": …, "lr": …, "train_s":
/// …, "val_s": …}; val_* are null without validation samples.
nlohmann::ordered_json epoch_record(const EpochResult& epoch);

/// {"summary": true, "test_acc": …, …}; test_* are null without a test set, epoch_s where no whole
/// epoch was trained.
nlohmann::ordered_json summary_record(const RunInfo& info, const RunResult& result,
                                      const ProcessFigures& process);

/// Whether it is one of these two, perhaps of one seed of several, or the line on all the seeds.
bool is_metrics_record(const nlohmann::ordered_json& line);

/// Median of train_s over the epochs that this process trained as a whole; negative if there are
/// none.
double median_epoch_s(const RunInfo& info, const RunResult& result);

}  // namespace millrace
