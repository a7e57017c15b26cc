#include "tools/trainer/option_checks.h"

#include <fmt/format.h>

#include <limits>
#include <string>

#include "tools/console/augment_options.h"
#include "tools/console/numbers.h"
#include "tools/console/output_paths.h"
#include "tools/console/usage_error.h"
#include "tools/trainer/bad_options.h"
#include "tools/trainer/device_options.h"

namespace millrace {
namespace {

void check_optimizer(RunSpec& run, CommandLine& line) {
  OptimizerSpec& optimizer = run.optimizer;
  const std::string kind = name_of(optimizer.kind);
  if (optimizer.adaptive() && optimizer.momentum != 0.0F) {
    line.refuse_idle("--momentum", "--optimizer", "an optimizer sgd or nesterov",
                     kind + ", which has --beta1");
    optimizer.momentum = OptimizerSpec().momentum;
  }
  if (!optimizer.adaptive()) {
    for (const char* name : {"--beta1", "--beta2", "--epsilon"}) {
      line.refuse_idle(name, "--optimizer", "--optimizer adam or adamw with it", kind);
    }
    optimizer.epsilon = OptimizerSpec().epsilon;
  }
  if (optimizer.kind == OptimizerSpec::Kind::kNesterov && optimizer.momentum == 0.0F) {
    throw UsageError(line.place("--optimizer") +
                     " nesterov: expected --momentum with it, found none");
  }
  if (!(optimizer.epsilon > 0.0F)) {
    throw UsageError(line.place("--epsilon") + ": expected a number above 0, found 0");
  }
  const ConfigEntry* chosen_for = line.overruled("--optimizer");
  if (chosen_for == nullptr || chosen_for->value == kind) return;
  // Nothing is wrong with it, but it is rarely meant.
  for (const char* name : {"--lr", "--weight-decay"}) {
    if (!line.given(name) || line.place(name) == name) continue;
    line.note(fmt::format("{} was chosen for {}, and --optimizer is {}: {} may have to be another",
                          line.place(name), chosen_for->value, kind, name));
  }
}

void check_schedule(const RunSpec& run, CommandLine& line) {
  if (run.schedule.kind == ScheduleSpec::Kind::kStep) return;
  for (const char* name : {"--step-epochs", "--gamma"}) {
    line.refuse_idle(name, "--schedule", "--schedule step with it", name_of(run.schedule.kind));
  }
}

void check_model(RunSpec& run, CommandLine& line) {
  const std::string none = "--hidden none";
  if (!run.hidden.empty()) return;
  line.refuse_idle("--activation", "--hidden", "a hidden layer to have it", none);
  run.activation = RunSpec().activation;
  if (run.batch_norm) {
    line.refuse_idle("--batch-norm", "--hidden", "a hidden layer to do it to", none);
    run.batch_norm = false;
  }
  if (run.dropout > 0.0F) {
    line.refuse_idle("--dropout", "--hidden", "a hidden layer to do it to", none);
    run.dropout = 0.0F;
  }
}

void check_samples(Options& options, CommandLine& line) {
  RunSpec& run = options.run;
  check_augmentation(line, run.augment);
  if (run.augment.enabled() && run.residency == Residency::kResident) {
    throw UsageError(
        "--residency resident: expected host or auto with --rotate, --shift, --scale, --shear or "
        "--elastic, whose samples are made on the way");
  }
  if (run.residency == Residency::kResident || run.residency == Residency::kHost) {
    line.refuse_idle("--shuffle-window", "--residency", "--residency stream or auto with it",
                     run.residency == Residency::kHost ? "host" : "resident");
  }
  check_bad_options(line, run.on_bad);
  if (run.on_bad == OnBad::kFail) options.quarantine.clear();
  const bool to_reach = run.stopping.target_accuracy > 0.0F || run.stopping.target_r2 > 0.0F;
  if (to_reach && options.validation_size == std::uint64_t{0}) {
    throw UsageError(
        line.place(run.stopping.target_accuracy > 0.0F ? "--target-acc" : "--target-r2") +
        ": expected validation samples to reach it on, found --val-size 0");
  }
  const std::uint64_t step = std::uint64_t{run.batch} * run.accumulate;
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  if (step > kMost) {
    throw UsageError(fmt::format("{}: expected at most {} samples of a step, found {}",
                                 line.place("--accumulate"), kMost, step));
  }
}

// What is of classes alone, or of targets alone.
void check_task(Options& options, CommandLine& line) {
  RunSpec& run = options.run;
  const std::string task = name_of(options.task);
  if (options.task != Task::kClassification) {
    for (const char* name : {"--label-smoothing", "--class-weights"}) {
      line.refuse_idle(name, "--task", "--task classification with it", task);
    }
    run.label_smoothing = 0.0F;
    run.class_weights = {};
  }
  if (options.task == Task::kRegression) {
    line.refuse_idle("--target-acc", "--task", "--task classification or multilabel with it", task);
    run.stopping.target_accuracy = 0.0F;
    return;
  }
  for (const char* name : {"--loss", "--standardize-targets", "--target-r2"}) {
    line.refuse_idle(name, "--task", "--task regression with it", task);
  }
  run.loss = options.task == Task::kMultilabel ? Loss::kBinaryCrossEntropy : RunSpec().loss;
  run.standardize_targets = RunSpec().standardize_targets;
  run.stopping.target_r2 = 0.0F;
}

void check_start(const Options& options, CommandLine& line) {
  const RunSpec& run = options.run;
  if (!run.init.empty()) {
    line.refuse_idle("--initializer", "--init",
                     "no --init with it, whose file has the first weights",
                     shown(run.init.string()));
  }
  if (!run.resume) return;
  if (run.resume_from.empty()) {
    if (!run.checkpoint_dir.empty()) return;
    throw UsageError(line.place("--resume") +
                     ": expected a file, or --checkpoint-dir with it, found neither");
  }
  const std::string file = shown(run.resume_from.string());
  line.refuse_idle("--initializer", "--resume", "no --resume FILE with it, which has the weights",
                   file);
  line.refuse_idle("--init", "--resume", "no --resume FILE with it, which has the weights", file);
}

void check_checkpoints(const Options& options, CommandLine& line) {
  const RunSpec& run = options.run;
  const bool kept = !run.checkpoint_dir.empty();
  if (run.checkpoint_every != 0 && !kept) {
    line.refuse_idle("--checkpoint-every", "--checkpoint-dir", "--checkpoint-dir with it", "none");
  }
  if (run.checkpoint_every == 0) {
    line.refuse_idle("--keep", "--checkpoint-every", "--checkpoint-every with it", "none");
  }
  if (!kept) line.refuse_idle("--force", "--checkpoint-dir", "--checkpoint-dir with it", "none");
  if (run.resume && run.resume_from.empty()) {
    line.refuse_idle("--force", "--resume", "--resume FILE or none with it",
                     "--resume, which replaces nothing");
  }
}

// From here on a fold is a run.
void check_folds(Options& options, const CommandLine& line) {
  const std::uint32_t folds = options.run.fold.count;
  if (folds == 0) return;
  if (options.repeat != 1) line.refuse_both("--folds", "--repeat");
  line.refuse_both("--folds", "--val-size");
  options.repeat = folds;
}

void check_repeat(const Options& options) {
  if (options.repeat == 1) return;
  const bool folds = options.run.fold.count != 0;
  const std::string option = fmt::format("--{} {}", folds ? "folds" : "repeat", options.repeat);
  for (const char* single : {options.report.empty() ? nullptr : "--report",
                             options.trace.empty() ? nullptr : "--trace"}) {
    if (single == nullptr) continue;
    throw UsageError(option + ": expected no " + single + " with it, which is of a single run");
  }
  if (!options.run.resume_from.empty()) {
    throw UsageError(option +
                     ": expected --resume without a file, each run having its own, found " +
                     shown(options.run.resume_from.string()));
  }
  constexpr std::uint64_t kLast = std::numeric_limits<std::uint64_t>::max();
  if (!folds && options.run.seed > kLast - (options.repeat - 1)) {
    throw UsageError(option + ": expected seeds up to " + std::to_string(kLast) +
                     ", found --seed " + std::to_string(options.run.seed));
  }
}

}  // namespace

void check_options(Options& options, CommandLine& line) {
  check_optimizer(options.run, line);
  check_schedule(options.run, line);
  check_model(options.run, line);
  check_task(options, line);
  check_samples(options, line);
  check_start(options, line);
  check_checkpoints(options, line);
  check_device(line, options.run.device);
  check_folds(options, line);
  check_repeat(options);
  check_output_paths({{"--metrics", options.metrics},
                      {"--trace", options.trace, R"({"displayTimeUnit")"},
                      {"--report", options.report, "<!DOCTYPE html>"},
                      {"--quarantine", options.quarantine}},
                     {{"--data", options.data},
                      {"--init", options.run.init},
                      {"--resume", options.run.resume_from}});
}

}  // namespace millrace
