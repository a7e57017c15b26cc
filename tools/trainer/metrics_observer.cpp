#include "tools/trainer/metrics_observer.h"

#include <nlohmann/json.hpp>

#include "tools/console/process_usage.h"
#include "tools/trainer/metrics_records.h"

namespace millrace {

MetricsObserver::MetricsObserver(const std::filesystem::path& path, bool resumed, Console& console)
    : file_(path, {"metrics", "{\"epoch\":0,…}", is_metrics_record}),
      go_on_(resumed),
      console_(console) {}

void MetricsObserver::on_start(const RunInfo& info) {
  info_ = info;
  // Only now: a run that never starts leaves an older file as it is.
  if (go_on_) {
    file_.go_on([this](const auto& line) { return comes_again(line); });
  } else {
    file_.begin();
  }
  go_on_ = true;  // a run after this one is of the same command
}

// Lines of this run that are of what comes after the checkpoint, and of its end.
bool MetricsObserver::comes_again(const nlohmann::ordered_json& line) const {
  if (run_ && line.contains("repeat") && line.contains(run_->first + 's')) return true;
  if (!run_ && (line.contains("seed") || line.contains("fold"))) return false;
  if (run_ && (!line.contains(run_->first) || line[run_->first] != run_->second)) return false;
  if (line.contains("summary")) return true;
  const auto epoch = line.find("epoch");
  return epoch != line.end() && epoch->is_number_unsigned() &&
         epoch->get<std::uint64_t>() >= info_.first_epoch;
}

void MetricsObserver::on_epoch(const EpochResult& epoch) { write_of_run(epoch_record(epoch)); }

void MetricsObserver::on_finish(const RunResult& result) {
  if (result.stopped) return;
  write_of_run(
      summary_record(info_, result, {load_s_, seconds_since_start() - began_s_, peak_rss_mb()}));
}

void MetricsObserver::write_last(const nlohmann::ordered_json& record) { write(record); }

void MetricsObserver::write_of_run(const nlohmann::ordered_json& record) {
  if (!run_) return write(record);
  nlohmann::ordered_json all;
  all[run_->first] = run_->second;
  all.update(record);
  write(all);
}

void MetricsObserver::write(const nlohmann::ordered_json& record) {
  const bool failed_before = failed();
  file_.write(record);
  if (failed() && !failed_before) {
    console_.warning(file_.error() + "; the run goes on without metrics");
  }
}

}  // namespace millrace
