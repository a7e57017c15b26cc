#include "train/compatibility.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include "formats/error.h"
#include "train/bad_ledger.h"
#include "train/class_weights.h"

namespace millrace {
namespace {

std::string text(std::uint64_t value) { return std::to_string(value); }
std::string text(std::string_view value) { return std::string(value); }
std::string text(bool value) { return value ? "on" : "off"; }
std::string text(float value) { return fmt::format("{}", value); }
std::string text(Precision value) { return name_of(value); }

std::string text(std::span<const std::uint32_t> widths) {
  if (widths.empty()) return "none";
  std::string all;
  for (const std::uint32_t width : widths) all += (all.empty() ? "" : ",") + std::to_string(width);
  return all;
}

std::string text(const Fold& value) {
  if (value.count == 0) return "none";
  return fmt::format("{} of {}", std::uint64_t{value.index} + 1, value.count);
}

std::string text(const ScheduleSpec& value) { return describe(value); }

class Differences {
 public:
  template <typename T>
  void compare(std::string_view what, const T& checkpoint, const T& run) {
    if (checkpoint == run) return;
    add(what, text(checkpoint), text(run));
  }
  void add(std::string_view what, const std::string& checkpoint, const std::string& run) {
    lines_.push_back(std::string(what) + ": checkpoint " + checkpoint + ", this run " + run);
  }
  const std::vector<std::string>& lines() const { return lines_; }
  std::string joined() const {
    std::string all;
    for (const std::string& line : lines_) all += (all.empty() ? "" : "; ") + line;
    return all;
  }

 private:
  std::vector<std::string> lines_;
};

void compare_widths(Differences& found, std::span<const std::uint32_t> checkpoint,
                    std::span<const std::uint32_t> run, std::string_view outputs) {
  found.compare("features", std::uint64_t{checkpoint.front()}, std::uint64_t{run.front()});
  const auto before = text(checkpoint.subspan(1, checkpoint.size() - 2));
  const auto now = text(run.subspan(1, run.size() - 2));
  if (before != now) found.add("hidden", before, now);
  found.compare(outputs, std::uint64_t{checkpoint.back()}, std::uint64_t{run.back()});
}

// Of many the first that differs.
void compare_class_weights(Differences& found, std::span<const float> checkpoint,
                           std::span<const float> run) {
  const auto before = describe_class_weights(checkpoint);
  const auto now = describe_class_weights(run);
  if (before != now) return found.add("class weights", before, now);
  const auto [a, b] = std::ranges::mismatch(checkpoint, run);
  if (a == checkpoint.end() || b == run.end()) return;
  found.compare("weight of class " + std::to_string(a - checkpoint.begin()), *a, *b);
}

}  // namespace

std::vector<std::string> check_compatible(const std::filesystem::path& file, const RunState& state,
                                          const RunIdentity& run) {
  Differences found;
  const RunOptions& before = state.options;
  const RunOptions& now = run.options;
  found.compare("task", std::string_view(name_of(before.task())),
                std::string_view(name_of(now.task())));
  compare_widths(found, before.widths, now.widths,
                 now.task() == Task::kClassification ? "classes" : "targets");
  found.compare("standardised targets", !before.target_scales.empty(), !now.target_scales.empty());
  found.compare("activation", std::string_view(name_of(before.activation)),
                std::string_view(name_of(now.activation)));
  found.compare("batch normalisation", before.batch_norm, now.batch_norm);
  found.compare("standardised samples", before.sample.standardizer != nullptr,
                now.sample.standardizer != nullptr);
  if (state.dataset_hash != run.dataset_hash) {
    found.add("data set", "content " + state.dataset_hash,
              run.dataset + " with content " + run.dataset_hash);
  }
  found.compare("batch", std::uint64_t{before.batch}, std::uint64_t{now.batch});
  found.compare("batches of a step", std::uint64_t{before.accumulate},
                std::uint64_t{now.accumulate});
  // The parameters of the file are the average, if there is one.
  const bool averaged = now.optimizer.ema > 0.0F;
  found.compare("average of the weights", before.optimizer.ema > 0.0F, averaged);
  found.compare("fold", before.fold, now.fold);
  found.compare("validation size", before.validation_size, now.validation_size);
  if (before.validation_hash != now.validation_hash) {
    const auto told = [](const std::string& hash) {
      return hash.empty() ? "none" : "content " + hash;
    };
    found.add("validation set", told(before.validation_hash), told(now.validation_hash));
  }
  found.compare("precision", before.precision, now.precision);
  found.compare("seed", before.seed, now.seed);
  found.compare("shuffle", before.shuffle, now.shuffle);
  found.compare("blocks of the shuffle window (0: all)", before.window_blocks, now.window_blocks);
  // The rate may be changed on the way, like the others; a curve over the whole run may not.
  if (before.schedule.kind == now.schedule.kind) {
    found.compare("epochs, which the schedule spans,", before.schedule_epochs, now.schedule_epochs);
  }
  if (!found.lines().empty()) {
    throw DataError(file, "is a checkpoint of another run: " + found.joined());
  }
  // With everything else equal these can only be wrong in a file that was made by hand.
  if (state.batch > run.steps_per_epoch ||
      state.step != state.epoch * run.steps_per_epoch + state.batch) {
    throw DataError(file, std::nullopt,
                    "a position within epochs of " + text(run.steps_per_epoch) + " steps",
                    "step " + text(state.step) + " as batch " + text(state.batch) + " of epoch " +
                        text(state.epoch));
  }

  Differences rates;
  rates.compare("optimizer", std::string_view(name_of(before.optimizer.kind)),
                std::string_view(name_of(now.optimizer.kind)));
  if (now.optimizer.adaptive() && before.optimizer.adaptive()) {
    rates.compare("beta1", before.optimizer.beta1, now.optimizer.beta1);
    rates.compare("beta2", before.optimizer.beta2, now.optimizer.beta2);
    rates.compare("epsilon", before.optimizer.epsilon, now.optimizer.epsilon);
  }
  rates.compare("bad samples", name_of(before.on_bad), name_of(now.on_bad));
  rates.compare("decay of the average", before.optimizer.ema, now.optimizer.ema);
  rates.compare("norm to clip to", before.optimizer.clip_norm, now.optimizer.clip_norm);
  rates.compare("dropout", before.dropout, now.dropout);
  rates.compare("loss", std::string_view(name_of(before.loss)),
                std::string_view(name_of(now.loss)));
  rates.compare("label smoothing", before.label_smoothing, now.label_smoothing);
  compare_class_weights(rates, before.class_weights, now.class_weights);
  rates.compare("rotate", before.augment.rotate, now.augment.rotate);
  rates.compare("shift", before.augment.shift, now.augment.shift);
  rates.compare("scale", before.augment.scale, now.augment.scale);
  rates.compare("shear", before.augment.shear, now.augment.shear);
  rates.compare("elastic", before.augment.elastic, now.augment.elastic);
  if (before.augment.elastic > 0.0F && now.augment.elastic > 0.0F) {
    rates.compare("elastic sigma", before.augment.elastic_sigma, now.augment.elastic_sigma);
  }
  rates.compare("learning rate", before.optimizer.learning_rate, now.optimizer.learning_rate);
  rates.compare("momentum", before.optimizer.momentum, now.optimizer.momentum);
  rates.compare("weight decay", before.optimizer.weight_decay, now.optimizer.weight_decay);
  rates.compare("schedule", before.schedule, now.schedule);
  std::vector<std::string> notices = rates.lines();
  if (state.epoch >= run.epochs) {
    notices.push_back(file.string() + " has " + text(state.epoch) + " of " + text(run.epochs) +
                      " epochs behind it: nothing is left to train");
  }
  return notices;
}

}  // namespace millrace
