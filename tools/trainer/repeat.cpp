#include "tools/trainer/repeat.h"
#include "tools/trainer/optional_number.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <vector>

namespace millrace {
namespace {

using Json = nlohmann::ordered_json;

// Of a figure that all of them have.
std::optional<Spread> spread(std::span<const RepeatResult> results,
                             std::optional<double> RepeatResult::*figure) {
  std::vector<double> numbers;
  for (const RepeatResult& result : results) {
    if (!(result.*figure)) return std::nullopt;
    numbers.push_back(*(result.*figure));
  }
  return spread_of(numbers);
}

Spread training(std::span<const RepeatResult> results) {
  std::vector<double> seconds;
  for (const RepeatResult& result : results) seconds.push_back(result.train_s);
  return spread_of(seconds);
}

void add(Json& json, const std::string& name, const std::optional<Spread>& spread) {
  json[name + "_mean"] = spread ? Json(spread->mean) : Json();
  json[name + "_deviation"] = spread ? Json(spread->deviation) : Json();
}

std::pair<std::string, std::uint64_t> name_of(std::uint64_t seed, const Fold& fold) {
  if (fold.count == 0) return {"seed", seed};
  return {"fold", std::uint64_t{fold.index} + 1};
}

}  // namespace

const char* score_of(Task task) { return task == Task::kRegression ? "r2" : "acc"; }

RepeatResult repeat_result(const RunSpec& spec, Task task, const RunResult& result) {
  const bool regression = task == Task::kRegression;
  RepeatResult of;
  of.seed = spec.seed;
  of.fold = spec.fold;
  of.task = task;
  of.test_score = regression ? result.test_r2 : result.test_acc;
  of.weights_hash = result.weights_hash;
  if (!result.history.empty()) {
    const EpochResult& last = result.history.back();
    of.val_score = regression ? last.val_r2 : last.val_acc;
  }
  for (const EpochResult& epoch : result.history) of.train_s += epoch.train_s;
  return of;
}

Spread spread_of(std::span<const double> numbers) {
  if (numbers.empty()) throw std::invalid_argument("spread: expected a number, found none");
  Spread spread;
  const auto count = static_cast<double>(numbers.size());
  for (const double number : numbers) spread.mean += number / count;
  if (numbers.size() == 1) return spread;
  double squares = 0.0;
  for (const double number : numbers) squares += (number - spread.mean) * (number - spread.mean);
  spread.deviation = std::sqrt(squares / (count - 1.0));
  return spread;
}

std::pair<std::string, std::uint64_t> run_name(const RunSpec& spec) {
  return name_of(spec.seed, spec.fold);
}

std::string run_folder(const RunSpec& spec) {
  const auto [what, number] = run_name(spec);
  return fmt::format("{}-{}", what, number);
}

RunSpec spec_of_run(const RunSpec& spec, std::uint64_t index) {
  RunSpec of = spec;
  if (of.fold.count != 0) {
    of.fold.index = static_cast<std::uint32_t>(index);
  } else {
    of.seed += index;
  }
  if (!of.checkpoint_dir.empty()) of.checkpoint_dir /= run_folder(of);
  return of;
}

std::string repeat_line(const RepeatResult& result) {
  std::string line = fmt::format("{} {}:", result.fold.count != 0 ? "Fold" : "Seed",
                                 name_of(result.seed, result.fold).second);
  const char* score = score_of(result.task);
  if (result.val_score) line += fmt::format(" val_{} {:.4f},", score, *result.val_score);
  if (result.test_score) line += fmt::format(" test_{} {:.4f},", score, *result.test_score);
  return line + fmt::format(" training {:.2f} s, weights {}", result.train_s, result.weights_hash);
}

std::string mean_line(std::span<const RepeatResult> results, std::uint64_t wanted) {
  const char* runs = results.front().fold.count != 0 ? "folds" : "seeds";
  std::string line = results.size() == wanted
                         ? fmt::format("Mean of {} {}:", wanted, runs)
                         : fmt::format("Mean of {} of {} {}:", results.size(), wanted, runs);
  const char* score = score_of(results.front().task);
  if (const auto of = spread(results, &RepeatResult::val_score)) {
    line += fmt::format(" val_{} {:.4f} ± {:.4f},", score, of->mean, of->deviation);
  }
  if (const auto of = spread(results, &RepeatResult::test_score)) {
    line += fmt::format(" test_{} {:.4f} ± {:.4f},", score, of->mean, of->deviation);
  }
  const Spread seconds = training(results);
  return line + fmt::format(" training {:.2f} ± {:.2f} s", seconds.mean, seconds.deviation);
}

Json repeat_record(std::span<const RepeatResult> results) {
  Json json;
  json["repeat"] = results.size();
  const std::string score = results.empty() ? "acc" : score_of(results.front().task);
  Json runs = Json::array();
  for (const RepeatResult& result : results) {
    const auto [what, number] = name_of(result.seed, result.fold);
    runs.push_back({{what, number},
                    {"val_" + score, json_of(result.val_score)},
                    {"test_" + score, json_of(result.test_score)},
                    {"train_s", result.train_s},
                    {"weights_hash", result.weights_hash}});
  }
  const bool folds = !results.empty() && results.front().fold.count != 0;
  json[folds ? "folds" : "seeds"] = std::move(runs);
  add(json, "val_" + score, spread(results, &RepeatResult::val_score));
  add(json, "test_" + score, spread(results, &RepeatResult::test_score));
  add(json, "train_s", training(results));
  return json;
}

}  // namespace millrace
