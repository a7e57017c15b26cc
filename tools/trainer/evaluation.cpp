#include "tools/trainer/evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "formats/error.h"
#include "formats/safetensors.h"
#include "loader/readable.h"
#include "tools/console/characters.h"
#include "tools/console/quote.h"
#include "tools/trainer/label_table.h"
#include "tools/trainer/optional_number.h"
#include "tools/trainer/target_table.h"
#include "train/finite_samples.h"
#include "train/streaming.h"
#include "train/weights_hash.h"

namespace millrace {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kColumns = 80;
constexpr std::size_t kMistakes = 20;
constexpr std::size_t kName = 30;  // columns

std::size_t digits(std::uint64_t number) { return fmt::formatted_size("{}", number); }

// Of a class, on one line and cut to what leaves room beside it.
std::string name_of(const Confusion& confusion, std::uint32_t label) {
  return fmt::format("{:.{}}", one_line(confusion.name(label)), kName);
}

// Of the longest name.
std::size_t name_width(const Confusion& confusion) {
  std::size_t wide = 5;
  for (std::uint32_t c = 0; confusion.named() && c < confusion.classes(); ++c) {
    wide = std::max(wide, characters(name_of(confusion, c)));
  }
  return wide;
}

std::string render_classes(const Confusion& confusion) {
  const std::size_t wide = name_width(confusion);
  std::string text = fmt::format("{:<{}}   precision   recall       F1   samples\n", "Class", wide);
  const auto shown = confusion.worst_classes(Confusion::kMostShown);
  for (const std::uint32_t c : shown) {
    text += fmt::format("{:>{}}   {:>9}   {:>6}   {:>6}   {:>7}\n", name_of(confusion, c), wide,
                        share_text(confusion.precision(c)), share_text(confusion.recall(c)),
                        share_text(confusion.f1(c)), confusion.samples(c));
  }
  if (const auto left_out = confusion.classes() - shown.size(); left_out > 0) {
    text += fmt::format("The {} of the lowest F1; {} more, which --json lists\n", shown.size(),
                        left_out);
  }
  return text;
}

std::string render_table(const Confusion& confusion, std::size_t cell) {
  const std::uint32_t classes = confusion.classes();
  const std::size_t wide = name_width(confusion);
  std::string text = "Confusion: truth downwards, guess to the right\n" + std::string(wide, ' ');
  for (std::uint32_t guess = 0; guess < classes; ++guess) {
    text += fmt::format("{:>{}}", name_of(confusion, guess), cell);
  }
  text += '\n';
  for (std::uint32_t truth = 0; truth < classes; ++truth) {
    text += fmt::format("{:>{}}", name_of(confusion, truth), wide);
    for (std::uint32_t guess = 0; guess < classes; ++guess) {
      const std::uint64_t count = confusion.count(truth, guess);
      // Zeros would hide what there is to see.
      text += fmt::format("{:>{}}", count == 0 ? "." : std::to_string(count), cell);
    }
    text += '\n';
  }
  return text;
}

std::string render_mistakes(const Confusion& confusion) {
  std::string text = "Most frequent mistakes: truth, guess, samples\n";
  const auto worst = confusion.worst(kMistakes);
  const std::size_t wide = name_width(confusion);
  for (const auto& m : worst) {
    text += fmt::format("{:>{}}   {:>{}}   {:>7}\n", name_of(confusion, m.truth), wide,
                        name_of(confusion, m.guess), wide, m.count);
  }
  return worst.empty() ? "No mistakes\n" : text;
}

std::string render_confusion(const Confusion& confusion) {
  if (!confusion.tabled()) return {};
  std::uint64_t largest = confusion.classes();
  for (std::uint32_t truth = 0; truth < confusion.classes(); ++truth) {
    for (std::uint32_t guess = 0; guess < confusion.classes(); ++guess) {
      largest = std::max(largest, confusion.count(truth, guess));
    }
  }
  const std::size_t wide = name_width(confusion);
  const std::size_t named = confusion.named() ? wide : 0;
  const std::size_t cell = std::max({std::size_t{4}, digits(largest), named}) + 1;
  const bool fits = wide + confusion.classes() * cell <= kColumns;
  return '\n' + (fits ? render_table(confusion, cell) : render_mistakes(confusion));
}

}  // namespace

Part part_of(const TrainedModel& model, const DataFolder& data, DataSplit split, OnBad on_bad) {
  const OnBad each = on_bad == OnBad::kFail ? OnBad::kFail : OnBad::kLeaveOut;
  if (split == DataSplit::kTest) {
    if (data.test == nullptr) {
      throw DataError(data.train->name(), "is all there is: no test files; --split train takes it");
    }
    return {data.test, Subset::all(data.test->size()), each};
  }
  const auto& own = data.validation;
  const bool takes_own = split == DataSplit::kValidation && own != nullptr;
  const RunState& state = model.checkpoint.state;
  if (takes_own && state.options.validation_size == 0) {
    return {own, Subset::all(own->size()), each};
  }
  if (training_hash(*data.train, state.options.window_blocks, on_bad) == state.dataset_hash &&
      state.options.validation_size < data.train->size()) {
    const RunOptions& options = state.options;
    const auto parts =
        Split::of(data.train->size(), options.validation_size, options.fold, options.seed);
    const Subset& part = split == DataSplit::kTrain ? parts.train : parts.validation;
    if (part.size() > 0) return {data.train, part, each};
    throw DataError(model.path, "was trained without validation samples; --split train takes all");
  }
  if (takes_own) return {own, Subset::all(own->size()), each};
  if (split == DataSplit::kTrain) return {data.train, Subset::all(data.train->size()), each};
  throw DataError(model.path,
                  "was trained on other data than " + data.train->name() +
                      ", which has no validation samples of its own; --split train takes all");
}

Evaluation evaluate(const TrainedModel& model, const DataFolder& data, DataSplit split,
                    const Device& device, std::uint32_t workers, SampleOutputs* outputs,
                    const LeavingOut& leaving_out) {
  const Part part = part_of(model, data, split, leaving_out.on_bad);
  const Part seen{seen_by(model, part.data), part.subset, part.on_bad};
  const auto engine = make_engine(model, device);
  const bool has_targets = model.spec.has_targets();
  Confusion confusion(has_targets ? 0 : model.spec.classes, model.checkpoint.state.class_names);
  std::optional<TargetErrors> errors;
  std::optional<LabelScores> scores;
  const auto& names = model.checkpoint.state.columns.targets;
  if (model.spec.regression()) errors.emplace(model.spec.classes, names);
  if (model.spec.multilabel()) scores.emplace(model.spec.classes, names);
  const auto take = [&](const Prediction& p) {
    if (errors) {
      errors->add(p.targets, p.logits);
    } else if (scores) {
      scores->add(p.targets, p.logits);
    } else {
      confusion.add(p.label, p.guess);
    }
    if (outputs == nullptr) return;
    outputs->logits.insert(outputs->logits.end(), p.logits.begin(), p.logits.end());
    if (has_targets) {
      outputs->targets.insert(outputs->targets.end(), p.targets.begin(), p.targets.end());
    } else {
      outputs->labels.push_back(p.label);
    }
    outputs->numbers.push_back(p.sample);
  };
  const std::string name = part.data->name();
  BadLedger ledger(name, part.data->size(), leaving_out.budget, [&](const BadSample& bad) {
    if (leaving_out.tell) leaving_out.tell(name, bad);
  });
  const Metrics metrics = predict_all(*engine, model.spec, seen, workers, take,
                                      [&ledger](auto bad) { ledger.report(bad); });
  if (metrics.samples == 0) {
    throw DataError(name, std::nullopt, "a sample that can be read", "none");
  }
  // What such a sample is taken for means nothing.
  if (!std::isfinite(metrics.loss_sum)) check_finite_samples(*part.data);
  std::optional<double> r2;
  if (errors) r2 = errors->pooled_r2(model.spec.target_scales);
  return {model.path.string(),
          model.widths(),
          name,
          split,
          weights_hash(model.checkpoint.parameters),
          part.on_bad == OnBad::kFail ? part.data->hash() : hash_readable(*part.data),
          engine->info(),
          metrics,
          std::move(confusion),
          leaving_out.on_bad,
          ledger.budget(),
          ledger.count(),
          std::move(errors),
          r2,
          std::move(scores)};
}

void write_outputs(const std::filesystem::path& path, const SampleOutputs& outputs,
                   const Evaluation& evaluation) {
  const std::uint64_t count = outputs.numbers.size();
  std::vector<TensorView> tensors;
  const auto add_floats = [&](const char* name, std::uint64_t each, const std::vector<float>& of) {
    tensors.push_back({name, DType::kFloat32, {count, each}, std::as_bytes(std::span(of))});
  };
  if (evaluation.errors) {
    add_floats("predictions", evaluation.errors->targets(), outputs.logits);
    add_floats("targets", evaluation.errors->targets(), outputs.targets);
  } else if (evaluation.labels) {
    add_floats("logits", evaluation.labels->labels(), outputs.logits);
    add_floats("targets", evaluation.labels->labels(), outputs.targets);
  } else {
    add_floats("logits", evaluation.confusion.classes(), outputs.logits);
    tensors.push_back({"labels", DType::kInt32, {count}, std::as_bytes(std::span(outputs.labels))});
  }
  // Signed, which every reader of such files knows.
  tensors.push_back({"samples", DType::kInt64, {count}, std::as_bytes(std::span(outputs.numbers))});
  write_safetensors(path, tensors,
                    {{"split", std::string(name_of(evaluation.split))},
                     {"dataset_hash", evaluation.dataset_hash},
                     {"weights_hash", evaluation.weights_hash}});
}

std::string render(const Evaluation& evaluation) {
  const Metrics& metrics = evaluation.metrics;
  std::string text = fmt::format("Model: {}, {}, {}\n", one_line(evaluation.checkpoint),
                                 evaluation.widths, name_of(evaluation.engine.precision));
  text += fmt::format("Data: {}, {} {} samples\n", one_line(evaluation.data), metrics.samples,
                      name_of(evaluation.split));
  if (evaluation.on_bad != OnBad::kFail) {
    text += evaluation.bad_samples == 0
                ? "Bad samples: none\n"
                : fmt::format("Bad samples: {} left out (at most {})\n", evaluation.bad_samples,
                              evaluation.bad_budget);
  }
  if (evaluation.errors) {
    return text + fmt::format("Loss: {:.4f}, R²: {:.4f}\n\n", metrics.mean_loss(), *evaluation.r2) +
           render_targets(*evaluation.errors);
  }
  if (evaluation.labels) {
    return text + fmt::format("Loss: {:.4f}, ", metrics.mean_loss()) +
           render_labels(*evaluation.labels);
  }
  text += fmt::format("Loss: {:.4f}, accuracy: {:.4f}, wrong: {} of {}\n\n", metrics.mean_loss(),
                      metrics.accuracy(), metrics.samples - metrics.correct, metrics.samples);
  return text + render_classes(evaluation.confusion) + render_confusion(evaluation.confusion);
}

Json to_json(const Evaluation& evaluation) {
  const Confusion& confusion = evaluation.confusion;
  Json json;
  json["checkpoint"] = evaluation.checkpoint;
  json["weights_hash"] = evaluation.weights_hash;
  json["widths"] = evaluation.widths;
  json["precision"] = name_of(evaluation.engine.precision);
  json["device"] = evaluation.engine.device;
  json["data"] = evaluation.data;
  json["dataset_hash"] = evaluation.dataset_hash;
  json["split"] = name_of(evaluation.split);
  json["samples"] = evaluation.metrics.samples;
  json["loss"] = evaluation.metrics.mean_loss();
  const auto add_bad = [&] {
    json["on_bad"] = name_of(evaluation.on_bad);
    json["bad_budget"] = evaluation.bad_budget;
    json["bad_samples"] = evaluation.bad_samples;
  };
  if (evaluation.errors) {
    json["r2"] = *evaluation.r2;
    add_bad();
    json["targets"] = targets_json(*evaluation.errors);
    return json;
  }
  if (evaluation.labels) {
    json.update(scores_json(*evaluation.labels));
    add_bad();
    json["labels"] = labels_json(*evaluation.labels);
    return json;
  }
  json["accuracy"] = evaluation.metrics.accuracy();
  Json classes = Json::array();
  for (std::uint32_t c = 0; c < confusion.classes(); ++c) {
    Json object{{"class", c}};
    if (confusion.named()) object["name"] = confusion.name(c);
    object["precision"] = json_of(confusion.precision(c));
    object["recall"] = json_of(confusion.recall(c));
    object["f1"] = json_of(confusion.f1(c));
    object["samples"] = confusion.samples(c);
    object["guesses"] = confusion.guesses(c);
    classes.push_back(std::move(object));
  }
  add_bad();
  json["classes"] = std::move(classes);
  json["confusion"] = Json();
  if (!confusion.tabled()) return json;
  Json table = Json::array();
  for (std::uint32_t truth = 0; truth < confusion.classes(); ++truth) {
    Json row = Json::array();
    for (std::uint32_t guess = 0; guess < confusion.classes(); ++guess) {
      row.push_back(confusion.count(truth, guess));
    }
    table.push_back(std::move(row));
  }
  json["confusion"] = std::move(table);
  return json;
}

}  // namespace millrace
