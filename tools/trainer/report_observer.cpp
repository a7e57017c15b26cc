#include "tools/trainer/report_observer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>

#include "formats/atomic_file.h"
#include "loader/standardized.h"
#include "tools/console/process_usage.h"
#include "tools/console/quote.h"
#include "tools/console/version.h"
#include "train/plan.h"
#include "train/schedule.h"

namespace millrace {
namespace {

constexpr std::size_t kMistakes = 48;
constexpr std::size_t kUnits = 64;

std::optional<Judged> judge_run(const ReportContext& context,
                                const std::shared_ptr<const Standardizer>& standardizer,
                                const std::vector<TargetScale>& target_scales, Engine& engine) {
  RunPlan plan = make_plan(context.spec, *context.data.train, context.data.test.get());
  plan.model.target_scales = target_scales;
  const std::uint32_t workers = context.spec.workers;
  const OnBad on_bad = context.spec.on_bad == OnBad::kFail ? OnBad::kFail : OnBad::kLeaveOut;
  const auto seen = [&](const auto& data) { return standardized(data, standardizer); };
  if (context.data.test != nullptr && context.data.test->size() > 0) {
    const Part part{seen(context.data.test), Subset::all(context.data.test->size()), on_bad};
    return judge(engine, plan.model, part, "test", workers, kMistakes);
  }
  if (const auto& own = context.spec.validation) {
    const Part part{seen(own), Subset::all(own->size()), on_bad};
    return judge(engine, plan.model, part, "validation", workers, kMistakes);
  }
  if (plan.split.validation.size() == 0) return std::nullopt;
  return judge(engine, plan.model, {seen(context.data.train), plan.split.validation, on_bad},
               "validation", workers, kMistakes);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> options_in_effect(const RunSpec& spec,
                                                                   const RunInfo& info) {
  const auto path = [](const std::filesystem::path& p) { return p.empty() ? "none" : p.string(); };
  return {
      {"--hidden", spec.hidden.empty() ? "none" : fmt::format("{}", fmt::join(spec.hidden, ","))},
      {"--activation", name_of(spec.activation)},
      {"--batch-norm", spec.batch_norm ? "on" : "off"},
      {"--dropout", fmt::format("{}", spec.dropout)},
      {"--initializer", name_of(spec.initializer)},
      {"--init", path(spec.init)},
      {"--epochs", std::to_string(spec.epochs)},
      {"--batch", std::to_string(spec.batch)},
      {"--accumulate", std::to_string(spec.accumulate)},
      {"--lr", fmt::format("{}", spec.optimizer.learning_rate)},
      {"--schedule", name_of(spec.schedule.kind)},
      {"--warmup", fmt::format("{}", spec.schedule.warmup_epochs)},
      {"--step-epochs", std::to_string(spec.schedule.step_epochs)},
      {"--gamma", fmt::format("{}", spec.schedule.gamma)},
      {"--target-acc", spec.stopping.target_accuracy > 0.0F
                           ? fmt::format("{}", spec.stopping.target_accuracy)
                           : "none"},
      {"--target-r2",
       spec.stopping.target_r2 > 0.0F ? fmt::format("{}", spec.stopping.target_r2) : "none"},
      {"--patience", spec.stopping.patience > 0 ? std::to_string(spec.stopping.patience) : "never"},
      {"--optimizer", name_of(spec.optimizer.kind)},
      {"--beta1", fmt::format("{}", spec.optimizer.beta1)},
      {"--beta2", fmt::format("{}", spec.optimizer.beta2)},
      {"--epsilon", fmt::format("{}", spec.optimizer.epsilon)},
      {"--loss",
       info.task == Task::kClassification ? name_of(Loss::kCrossEntropy) : name_of(spec.loss)},
      {"--label-smoothing", fmt::format("{}", spec.label_smoothing)},
      {"--class-weights", spec.class_weights.balanced ? "balanced"
                          : spec.class_weights.values.empty()
                              ? "all 1"
                              : fmt::format("{}", fmt::join(spec.class_weights.values, ","))},
      {"--momentum", fmt::format("{}", spec.optimizer.momentum)},
      {"--weight-decay", fmt::format("{}", spec.optimizer.weight_decay)},
      {"--clip-norm",
       spec.optimizer.clip_norm > 0.0F ? fmt::format("{}", spec.optimizer.clip_norm) : "none"},
      {"--ema", spec.optimizer.ema > 0.0F ? fmt::format("{}", spec.optimizer.ema) : "none"},
      {"--rotate", fmt::format("{}", spec.augment.rotate)},
      {"--shift", fmt::format("{}", spec.augment.shift)},
      {"--scale", fmt::format("{}", spec.augment.scale)},
      {"--shear", fmt::format("{}", spec.augment.shear)},
      {"--elastic", fmt::format("{}", spec.augment.elastic)},
      {"--elastic-sigma", fmt::format("{}", spec.augment.elastic_sigma)},
      {"--seed", std::to_string(spec.seed)},
      {"--val-size",
       spec.validation ? spec.validation->name() : std::to_string(spec.validation_size)},
      {"--task", name_of(info.task)},
      {"--standardize-targets", info.task != Task::kRegression ? "none"
                                : spec.standardize_targets     ? "on"
                                                               : "off"},
      {"--standardize", spec.standardize ? "on" : "off"},
      {"--shuffle", spec.shuffle ? "on" : "off"},
      {"--on-bad", std::string(name_of(spec.on_bad))},
      {"--bad-budget",
       fmt::format("{} {}", info.bad_budget, info.bad_budget == 1 ? "sample" : "samples")},
      {"--precision", name_of(info.engine.precision)},
      {"--device", info.engine.device},
      {"--threads",
       fmt::format("{}{}", spec.device.threads == 0 ? "auto, up to " : "", info.engine.threads)},
      {"--workers", spec.workers == 0 ? "auto" : std::to_string(spec.workers)},
      {"--residency", info.residency},
      {"--shuffle-window", fmt::format("{} MB", spec.window_bytes >> 20U)},
      {"--slots", std::to_string(spec.slots)},
      {"--chunk-batches", spec.chunk_batches == 0 ? "auto" : std::to_string(spec.chunk_batches)},
      {"--checkpoint-dir", path(spec.checkpoint_dir)},
      {"--checkpoint-every", std::to_string(spec.checkpoint_every)},
      {"--keep", std::to_string(spec.keep)}};
}

ReportObserver::ReportObserver(std::filesystem::path path) : path_(std::move(path)) {
  const AtomicFile probe(path_);  // never committed: it leaves nothing
}

Report ReportObserver::collect(const ReportContext& context, Engine& engine,
                               const RunResult& result) const {
  Report report;
  report.command = shell_command(context.arguments);
  report.data = context.data.description;
  report.options = options_in_effect(context.spec, info_);
  report.info = info_;
  report.result = result;
  report.process = {context.load_s, seconds_since_start(), peak_rss_mb()};
  report.judged = judge_run(context, info_.standardizer, info_.target_scales, engine);
  const Parameters parameters = engine.parameters();
  report.weights = first_layer(parameters.front(), context.data.train->shape(), kUnits);
  report.units = parameters.front().shape.front();
  report.versions = version_text("trainer");
  report.search = context.search;
  return report;
}

void ReportObserver::write(const ReportContext& context, Engine& engine,
                           const RunResult& result) const {
  const std::string page = render_report(collect(context, engine, result));
  AtomicFile file(path_);
  file.write(page);
  file.commit();
}

}  // namespace millrace
