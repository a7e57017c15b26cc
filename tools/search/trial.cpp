#include "tools/search/trial.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <tuple>

#include "tools/console/characters.h"
#include "tools/console/figure.h"
#include "tools/console/quote.h"
#include "tools/trainer/repeat.h"
#include "train/best.h"

namespace millrace {
namespace {

using Json = nlohmann::ordered_json;

double mean(std::span<const TrialRun> runs, double TrialRun::*figure) {
  double sum = 0.0;
  for (const TrialRun& run : runs) sum += run.*figure;
  return sum / static_cast<double>(runs.size());
}

// "0.9713", or "0.9713 ± 0.0021" of several runs.
std::string score_text(const Trial& trial) {
  if (trial.runs.size() == 1) return figure(trial.score());
  std::vector<double> scores;
  for (const TrialRun& run : trial.runs) scores.push_back(run.score);
  return figure(trial.score()) + " ± " + figure(spread_of(scores).deviation);
}

std::string epoch_text(const Trial& trial) {
  const auto less = [](const TrialRun& a, const TrialRun& b) { return a.epoch < b.epoch; };
  const auto [first, last] = std::ranges::minmax_element(trial.runs, less);
  if (first->epoch == last->epoch) return std::to_string(first->epoch);
  return fmt::format("{}-{}", first->epoch, last->epoch);
}

std::vector<std::string> cells(const Trial& trial, bool rungs) {
  std::vector<std::string> row{std::to_string(trial.number)};
  if (trial.diverged()) {
    row.insert(row.end(), {"diverged", "-", "-"});
  } else {
    row.insert(row.end(), {score_text(trial), figure(trial.loss()), epoch_text(trial)});
  }
  if (rungs) row.push_back(trial.diverged() ? "-" : std::to_string(trial.epochs()));
  row.push_back(fmt::format("{:.2f}", mean(trial.runs, &TrialRun::train_s)));
  for (const std::string& value : trial.values) row.push_back(one_line(value));
  return row;
}

std::uint64_t whole(const Json& json, const char* name) {
  const Json& value = json.at(name);
  if (!value.is_number_unsigned()) throw Json::type_error::create(302, "no whole number", &value);
  return value.get<std::uint64_t>();
}

}  // namespace

TrialRun named_run(const RunSpec& spec) {
  TrialRun run;
  run.seed = spec.seed;
  run.fold = spec.fold.count == 0 ? 0 : spec.fold.index + 1;
  return run;
}

TrialRun trial_run(const RunSpec& spec, const RunResult& result) {
  const EpochResult* best = &result.history.front();
  for (const EpochResult& epoch : result.history) {
    if (is_better(epoch, *best)) best = &epoch;
  }
  TrialRun run = named_run(spec);
  run.score = (best->val_r2 ? best->val_r2 : best->val_acc).value();
  run.loss = best->val_loss.value();
  if (!std::isfinite(run.score) || !std::isfinite(run.loss)) {
    return diverged_run(spec, "its validation score is no number");
  }
  run.epoch = best->epoch;
  run.epochs = result.history.size();
  for (const EpochResult& epoch : result.history) run.train_s += epoch.train_s;
  run.weights_hash = result.weights_hash;
  return run;
}

TrialRun diverged_run(const RunSpec& spec, const std::string& why) {
  TrialRun run = named_run(spec);
  run.diverged = why;
  return run;
}

Json to_json(const TrialRun& run) {
  Json json{{"seed", run.seed}};
  if (run.fold != 0) json["fold"] = run.fold;
  if (!run.diverged.empty()) {
    json["diverged"] = run.diverged;
    return json;
  }
  json["score"] = run.score;
  json["loss"] = run.loss;
  json["epoch"] = run.epoch;
  json["epochs"] = run.epochs;
  json["train_s"] = run.train_s;
  json["weights_hash"] = run.weights_hash;
  return json;
}

std::optional<TrialRun> trial_run_in(const Json& json) {
  try {
    TrialRun run;
    run.seed = whole(json, "seed");
    if (json.contains("fold")) run.fold = static_cast<std::uint32_t>(whole(json, "fold"));
    if (json.contains("diverged")) {
      run.diverged = json.at("diverged").get<std::string>();
      return run.diverged.empty() ? std::nullopt : std::optional(run);
    }
    run.score = json.at("score").get<double>();
    run.loss = json.at("loss").get<double>();
    run.epoch = whole(json, "epoch");
    run.epochs = whole(json, "epochs");
    run.train_s = json.at("train_s").get<double>();
    run.weights_hash = json.at("weights_hash").get<std::string>();
    return run;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

bool Trial::diverged() const {
  return std::ranges::any_of(runs, [](const TrialRun& run) { return !run.diverged.empty(); });
}

double Trial::score() const { return mean(runs, &TrialRun::score); }

double Trial::loss() const { return mean(runs, &TrialRun::loss); }

std::uint64_t Trial::epochs() const {
  std::uint64_t most = 0;
  for (const TrialRun& run : runs) most = std::max(most, run.epochs);
  return most;
}

std::vector<Trial> ranked(std::span<const Trial> trials) {
  std::vector<Trial> sorted;
  std::ranges::copy_if(trials, std::back_inserter(sorted),
                       [](const Trial& trial) { return !trial.runs.empty(); });
  std::ranges::sort(sorted, {}, [](const Trial& trial) {
    const bool diverged = trial.diverged();
    return std::tuple(diverged, ~trial.rung, diverged ? 0.0 : -trial.score(),
                      diverged ? 0.0 : trial.loss(), trial.number);
  });
  return sorted;
}

std::vector<std::string> ranking(std::span<const Trial> ranked, std::span<const Axis> axes,
                                 const std::string& score, std::size_t most, bool rungs) {
  std::vector<std::vector<std::string>> rows{{"trial", score, "val_loss", "epoch"}};
  if (rungs) rows[0].emplace_back("epochs");
  rows[0].emplace_back("train_s");
  for (const Axis& axis : axes) rows[0].push_back(axis.option);
  for (const Trial& trial : ranked.first(std::min(most, ranked.size()))) {
    rows.push_back(cells(trial, rungs));
  }
  std::vector<std::size_t> widths(rows[0].size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], characters(row[i]));
  }
  std::vector<std::string> lines;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += std::string(i == 0 ? 0 : 2, ' ') + std::string(widths[i] - characters(row[i]), ' ') +
              row[i];
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace millrace
