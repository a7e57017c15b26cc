#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>

#include "tools/console/console.h"
#include "tools/trainer/metrics_file.h"
#include "train/observer.h"

namespace millrace {

/// Writes the lines of a run to a MetricsFile. A file that fails on the way is told once, as a
/// warning; the run goes on.
class MetricsObserver final : public TrainObserver {
 public:
  /// Throws DataError if the file cannot be written. `resumed`: the run may go on from a
  /// checkpoint, whose epochs' lines stay, and others'; those of later epochs, which come again,
  /// and a summary go. `console` outlives the observer.
  MetricsObserver(const std::filesystem::path& path, bool resumed, Console& console);

  /// The run counts its time from `began_s` seconds after the process was started, of which it
  /// takes `load_s` for opening the data.
  void set_times(double began_s, double load_s) {
    began_s_ = began_s;
    load_s_ = load_s;
  }
  /// Where one file has several runs: each line of those to come begins with `what`: `number`,
  /// {"seed": 3, …}.
  void set_run(const std::string& what, std::uint64_t number) { run_ = {what, number}; }
  bool may_lag() const override { return true; }
  void on_start(const RunInfo& info) override;
  void on_epoch(const EpochResult& epoch) override;
  /// A run that was stopped gets no summary: it may go on.
  void on_finish(const RunResult& result) override;

  /// A line on all the runs.
  void write_last(const nlohmann::ordered_json& record);

  bool failed() const noexcept { return !file_.error().empty(); }

 private:
  bool comes_again(const nlohmann::ordered_json& line) const;
  void write(const nlohmann::ordered_json& record);
  void write_of_run(const nlohmann::ordered_json& record);

  MetricsFile file_;
  bool go_on_;
  Console& console_;
  RunInfo info_;
  double began_s_ = 0.0;
  double load_s_ = 0.0;
  std::optional<std::pair<std::string, std::uint64_t>> run_;
};

}  // namespace millrace
