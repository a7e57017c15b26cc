#include "tools/trainer/metrics_records.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "tools/trainer/optional_number.h"
#include "train/bad_ledger.h"

namespace millrace {
namespace {

using Json = nlohmann::ordered_json;

Json record(const StageTimes& times) {
  return {{"busy_s", times.busy}, {"starved_s", times.starved}, {"blocked_s", times.blocked}};
}

Json stages(const RunResult& result) {
  const LoaderStats& loader = result.train_loader;
  Json all;
  all["fill"] = record(loader.fill);
  all["fill"]["workers"] = loader.workers;
  all["fill"]["slots"] = loader.slots;
  all["fill"]["chunks"] = loader.chunks;
  all["fill"]["samples"] = loader.samples;
  all["fill"]["bytes"] = loader.bytes;
  all["train"] = record(loader.consumer);
  all["engine"] = {{"busy_s", result.engine.busy},
                   {"idle_s", result.engine.idle},
                   {"waiting_s", result.engine.waiting}};
  if (result.engine.copying > 0.0) {
    all["engine"]["copying_s"] = result.engine.copying;
    all["engine"]["hidden_s"] = result.engine.hidden;
  }
  return all;
}

}  // namespace

double median_epoch_s(const RunInfo& info, const RunResult& result) {
  std::vector<double> seconds;
  for (const EpochResult& epoch : result.history) {
    if (epoch.epoch >= info.first_epoch && !epoch.partial) seconds.push_back(epoch.train_s);
  }
  if (seconds.empty()) return -1.0;
  std::ranges::sort(seconds);
  const std::size_t middle = seconds.size() / 2;
  return seconds.size() % 2 == 1 ? seconds[middle] : (seconds[middle - 1] + seconds[middle]) / 2;
}

Json epoch_record(const EpochResult& epoch) {
  Json json;
  json["epoch"] = epoch.epoch;
  json["train_loss"] = epoch.train_loss;
  if (epoch.train_r2) {
    json["train_r2"] = *epoch.train_r2;
    json["val_loss"] = json_of(epoch.val_loss);
    json["val_r2"] = json_of(epoch.val_r2);
    json["val_rmse"] = json_of(epoch.val_rmse);
  } else {
    json["train_acc"] = epoch.train_acc;
    json["val_loss"] = json_of(epoch.val_loss);
    json["val_acc"] = json_of(epoch.val_acc);
  }
  json["lr"] = json_of(epoch.learning_rate);
  json["train_s"] = epoch.train_s;
  json["val_s"] = epoch.val_s;
  return json;
}

Json summary_record(const RunInfo& info, const RunResult& result, const ProcessFigures& process) {
  const double epoch_s = median_epoch_s(info, result);
  Json json;
  json["summary"] = true;
  json["task"] = name_of(info.task);
  if (info.task == Task::kRegression) {
    json["test_r2"] = json_of(result.test_r2);
    json["test_rmse"] = json_of(result.test_rmse);
  } else {
    json["test_acc"] = json_of(result.test_acc);
  }
  json["test_loss"] = json_of(result.test_loss);
  json["epochs"] = result.history.size();
  json["ended_early"] = result.ended_early ? Json(*result.ended_early) : Json();
  json["target_s"] = json_of(result.target_s);
  json["wall_s"] = process.wall_s;
  json["load_s"] = process.load_s;
  json["fit_s"] = result.fit_s;
  json["checkpoint_s"] = result.checkpoint_s;
  json["epoch_s"] = epoch_s < 0.0 ? Json() : Json(epoch_s);
  json["samples_per_s"] = result.samples_per_s;
  json["peak_rss_mb"] = process.peak_rss_mb;
  json["weights_hash"] = result.weights_hash;
  json["device"] = info.engine.device;
  json["device_description"] = info.engine.description;
  json["precision"] = name_of(info.engine.precision);
  json["threads"] = info.engine.threads;
  json["residency"] = info.residency;
  if (info.window_blocks != 0) {
    json["window_blocks"] = info.window_blocks;
    json["mixing"] = info.mixing;
  }
  json["dataset"] = info.dataset;
  json["dataset_hash"] = info.dataset_hash;
  json["train_samples"] = info.train_samples;
  json["val_samples"] = info.validation_samples;
  json["test_samples"] = info.test_samples;
  json["widths"] = info.widths;
  json["parameters"] = info.parameters;
  json["on_bad"] = name_of(info.on_bad);
  json["bad_budget"] = info.bad_budget;
  json["bad_samples"] = result.bad_samples;
  json["bad_test_samples"] = result.bad_test_samples;
  json["verdict"] = result.verdict;
  json["stages"] = stages(result);
  return json;
}

bool is_metrics_record(const Json& line) {
  return line.contains("epoch") || line.contains("summary") || line.contains("repeat");
}

}  // namespace millrace
