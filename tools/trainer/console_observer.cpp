#include "tools/trainer/console_observer.h"

#include <fmt/format.h>

#include <utility>

#include "tools/console/figure.h"
#include "tools/console/process_usage.h"
#include "tools/console/quote.h"
#include "tools/trainer/metrics_records.h"

namespace millrace {
namespace {

// Below it, batches are visibly not of the set's mix of classes.
constexpr double kWellMixed = 0.95;
constexpr double kLeastTold = 0.005;  // seconds: less is 0.00

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

std::string epoch_line(const EpochResult& epoch) {
  std::string line = fmt::format("Epoch [{}]", epoch.epoch);
  const char* score = epoch.train_r2 ? "r2" : "acc";
  if (const auto& val = epoch.train_r2 ? epoch.val_r2 : epoch.val_acc; epoch.val_loss && val) {
    line += fmt::format(", val_loss: {}, val_{}: {}, train_loss: {}", figure(*epoch.val_loss),
                        score, figure(*val), figure(epoch.train_loss));
  } else {
    line += fmt::format(", train_loss: {}, train_{}: {}", figure(epoch.train_loss), score,
                        figure(epoch.train_r2.value_or(epoch.train_acc)));
  }
  // Three digits, and in all 80 columns.
  return line + fmt::format(", train_s: {:.{}f}", epoch.train_s, epoch.train_s < 0.9995 ? 3 : 2);
}

std::string bad_samples_line(const RunInfo& info, const RunResult& result) {
  if (result.bad_samples == 0 && result.bad_test_samples == 0) return "Bad samples: none";
  std::string line = fmt::format("Bad samples: {} of {}", result.bad_samples,
                                 info.train_samples + info.validation_samples);
  if (result.bad_samples > 0) {
    line += fmt::format(" {} (at most {})", info.on_bad == OnBad::kSkip ? "skipped" : "substituted",
                        info.bad_budget);
  }
  if (result.bad_test_samples > 0) {
    line +=
        fmt::format(", {} of {} left out of the test", result.bad_test_samples, info.test_samples);
  }
  return line;
}

// Names of files and folders may hold anything.
void ConsoleObserver::line(const std::string& text) { console_.line(one_line(text)); }

void ConsoleObserver::set_run(const RunSpec& spec, bool window_given) {
  on_bad_ = spec.on_bad;
  window_given_ = window_given;
  threads_ = spec.device.threads;
  recipe_ = fmt::format("batch {}", spec.batch);
  if (spec.accumulate > 1) recipe_ += fmt::format(" x {}", spec.accumulate);
  recipe_ += fmt::format(", lr {}", spec.optimizer.learning_rate);
  if (spec.schedule.kind != ScheduleSpec::Kind::kConstant || spec.schedule.warmup_epochs > 0.0) {
    recipe_ += ", " + describe(spec.schedule);
  }
  if (spec.optimizer.kind != OptimizerSpec::Kind::kSgd) {
    recipe_ += fmt::format(", {}", name_of(spec.optimizer.kind));
  }
  if (spec.activation != Activation::kRelu)
    recipe_ += fmt::format(", {}", name_of(spec.activation));
  if (spec.batch_norm) recipe_ += ", batch norm";
  if (spec.dropout > 0.0F) recipe_ += fmt::format(", dropout {}", spec.dropout);
  if (spec.label_smoothing > 0.0F) {
    recipe_ += fmt::format(", label smoothing {}", spec.label_smoothing);
  }
  if (spec.loss != RunSpec().loss) recipe_ += fmt::format(", {} loss", name_of(spec.loss));
  if (!spec.standardize_targets) recipe_ += ", targets as they are";
  if (spec.class_weights.balanced) recipe_ += ", balanced classes";
  if (const auto& weights = spec.class_weights.values; !weights.empty()) {
    recipe_ += ", class weights " + describe_class_weights(weights);
  }
  if (spec.optimizer.momentum != 0.0F)
    recipe_ += fmt::format(", momentum {}", spec.optimizer.momentum);
  if (spec.optimizer.weight_decay != 0.0F) {
    recipe_ += fmt::format(", weight decay {}", spec.optimizer.weight_decay);
  }
  if (spec.optimizer.clip_norm > 0.0F) {
    recipe_ += fmt::format(", clipped to {}", spec.optimizer.clip_norm);
  }
  if (spec.optimizer.ema > 0.0F) recipe_ += fmt::format(", EMA {}", spec.optimizer.ema);
  const AugmentSpec& augment = spec.augment;
  if (augment.rotate > 0.0F) recipe_ += fmt::format(", rotate {}", augment.rotate);
  if (augment.shift > 0.0F) recipe_ += fmt::format(", shift {}", augment.shift);
  if (augment.scale > 0.0F) recipe_ += fmt::format(", scale {}", augment.scale);
  if (augment.shear > 0.0F) recipe_ += fmt::format(", shear {}", augment.shear);
  if (augment.elastic > 0.0F) {
    recipe_ += fmt::format(", elastic {} (sigma {})", augment.elastic, augment.elastic_sigma);
  }
  if (spec.standardize) recipe_ += ", standardised";
  if (spec.initializer != Initializer::kPyTorch) {
    recipe_ += fmt::format(", {} initialisation", name_of(spec.initializer));
  }
  recipe_ += fmt::format(", seed {}", spec.seed);
  if (!spec.shuffle) recipe_ += ", the files' own order";
}

void ConsoleObserver::on_start(const RunInfo& info) {
  info_ = info;
  start_ = std::chrono::steady_clock::now();
  const EngineInfo& engine = info.engine;
  line(fmt::format("Device: {} ({}), {} {}, {}", engine.device, engine.description, engine.threads,
                   engine.threads == 1 ? "thread" : "threads", name_of(engine.precision)));
  line("Data: " + data_);
  line(fmt::format("Split: {} to train on, {} for validation, {} to test; {}", info.train_samples,
                   info.validation_samples, info.test_samples, info.residency));
  if (info.window_blocks != 0) {
    line(fmt::format("Stream: windows of {} blocks, mixing {:.3f} (1 is a global shuffle)",
                     info.window_blocks, info.mixing));
    if (info.mixing < kWellMixed) {
      console_.warning(fmt::format(
          "batches hold runs of {}: mixing is {:.2f} of 1; --shuffle-window with more MB "
          "mixes better, or 'tools convert' of a shuffled source",
          info.task == Task::kClassification ? "one class" : "similar targets", info.mixing));
    }
  }
  // What could not be said before.
  if (window_given_ && info.window_blocks == 0) {
    console_.notice("--shuffle-window has no effect: the data set is not streamed (" +
                    info.residency + ")");
  }
  if (threads_ != 0 && engine.device != "cpu") {
    console_.notice("--threads has no effect: " + engine.device + " computes");
  }
  line(fmt::format("Model: {}, {} parameters", fmt::join(info.widths, "-"), info.parameters));
  line(fmt::format("Run: {} epochs of {} steps, {}", info.epochs, info.steps_per_epoch, recipe_));
  if (!info.resumed_from.empty()) {
    line(fmt::format("Resumed: {}, at epoch {}, step {} of {}", info.resumed_from.string(),
                     info.first_epoch, info.first_step_in_epoch, info.steps_per_epoch));
  }
}

void ConsoleObserver::on_progress(const Progress& progress) {
  // Of the whole run: epochs may be over before an eye has seen their bar.
  const auto per_epoch = static_cast<double>(info_.steps_per_epoch);
  const double all = per_epoch * static_cast<double>(info_.epochs);
  const double first = per_epoch * static_cast<double>(info_.first_epoch) +
                       static_cast<double>(info_.first_step_in_epoch);
  const double done =
      per_epoch * static_cast<double>(progress.epoch) + static_cast<double>(progress.step);
  Bar bar;
  bar.label = fmt::format("Epoch [{}]", progress.epoch);
  bar.share = all > 0.0 ? done / all : 0.0;
  if (done > first) {
    const double left = seconds_since(start_) * (all - done) / (done - first);
    bar.details.push_back(render_duration(left) + " left");
  }
  bar.details.push_back(fmt::format("loss {:.4f}", progress.mean_loss));
  bar.details.push_back(render_count(progress.samples_per_s) + "/s");
  bar.details.push_back(fmt::format("train {:.0f} %", 100.0 * progress.training));
  bar.details.push_back(fmt::format("load {:.0f} %", 100.0 * progress.loading));
  console_.progress(bar);
}

void ConsoleObserver::on_epoch(const EpochResult& epoch) { line(epoch_line(epoch)); }

void ConsoleObserver::on_bad_sample(const std::string& /*dataset*/, const BadSample& sample) {
  bad_.tell(sample);
}

void ConsoleObserver::on_finish(const RunResult& result) {
  if (result.stopped) {
    console_.clear_progress();
    return;
  }
  if (result.ended_early) {
    line("Ended after epoch " + std::to_string(result.history.back().epoch) + ": " +
         *result.ended_early);
  }
  if (result.target_s) {
    line(
        fmt::format("Target: reached after {:.3f} s of training and validation", *result.target_s));
  }
  if (result.test_acc && result.test_loss) {
    line(fmt::format("Test, test_loss: {:.4f}, test_acc: {:.4f}", *result.test_loss,
                     *result.test_acc));
  }
  if (result.test_r2 && result.test_loss) {
    auto text = fmt::format("Test, test_loss: {}, test_r2: {}", figure(*result.test_loss),
                            figure(*result.test_r2));
    if (result.test_rmse) text += fmt::format(", test_rmse: {:.6g}", *result.test_rmse);
    line(text);
  }
  if (on_bad_ != OnBad::kFail) {
    const bool any = result.bad_samples + result.bad_test_samples > 0;
    line(bad_samples_line(info_, result) +
         (any && !bad_.quarantine().empty() ? "; named in " + bad_.quarantine().string() : ""));
  }
  print_times(result);
  line("Verdict: " + result.verdict);
  if (!result.checkpoint.empty()) line("Checkpoint: " + result.checkpoint.string());
  line("Weights: " + result.weights_hash);
}

void ConsoleObserver::print_times(const RunResult& result) {
  const double epoch_s = median_epoch_s(info_, result);
  if (epoch_s >= 0.0) {
    line(fmt::format("Speed: {:.4f} s an epoch, {} samples/s", epoch_s,
                     render_count(result.samples_per_s)));
  }
  std::string text = fmt::format("Time: {:.2f} s, of that {:.2f} s loading, {:.2f} s fitting",
                                 seconds_since_start() - began_s_, load_s_, result.fit_s);
  if (result.checkpoint_s >= kLeastTold) {
    text += fmt::format(" ({:.2f} s for checkpoints)", result.checkpoint_s);
  }
  line(text + fmt::format("; {:.0f} MB", peak_rss_mb()));
}

}  // namespace millrace
