#include "train/schedule.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>
#include <stdexcept>

#include "formats/exact_math.h"

namespace millrace {
namespace {

constexpr double kPeakAt = 0.3;         // of the steps
constexpr double kInitialOver = 25.0;   // the peak is this times the first rate,
constexpr double kFinalOver = 10000.0;  // and that this times the last

void check(bool holds, const char* what, const char* expected, double found) {
  if (holds) return;
  throw std::invalid_argument(fmt::format("{}: expected {}, found {}", what, expected, found));
}

std::string counted(double count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1.0 ? "" : "s");
}

// From `begin` at 0 to `end` at 1, along half a cosine.
double anneal(double begin, double end, double share) {
  return end + (begin - end) / 2.0 * (1.0 + cosine(std::numbers::pi * share));
}

double one_cycle(double rate, double step, double steps) {
  const double first = rate / kInitialOver;
  const double peak = kPeakAt * steps - 1.0;
  if (step <= peak) return anneal(first, rate, step / peak);
  const double rest = steps - 1.0 - peak;
  return anneal(rate, first / kFinalOver, rest > 0.0 ? (step - peak) / rest : 1.0);
}

}  // namespace

const char* name_of(ScheduleSpec::Kind kind) noexcept {
  switch (kind) {
    case ScheduleSpec::Kind::kStep:
      return "step";
    case ScheduleSpec::Kind::kCosine:
      return "cosine";
    case ScheduleSpec::Kind::kOneCycle:
      return "one-cycle";
    case ScheduleSpec::Kind::kConstant:
      break;
  }
  return "constant";
}

std::optional<ScheduleSpec::Kind> schedule_called(std::string_view name) noexcept {
  using Kind = ScheduleSpec::Kind;
  for (const Kind kind : {Kind::kConstant, Kind::kStep, Kind::kCosine, Kind::kOneCycle}) {
    if (name == name_of(kind)) return kind;
  }
  return std::nullopt;
}

std::string describe(const ScheduleSpec& spec) {
  std::string text = name_of(spec.kind);
  if (spec.kind == ScheduleSpec::Kind::kStep) {
    text += fmt::format(" by {} every {}", spec.gamma,
                        counted(static_cast<double>(spec.step_epochs), "epoch"));
  }
  if (spec.warmup_epochs != 0.0)
    text += " after a warm-up of " + counted(spec.warmup_epochs, "epoch");
  return text;
}

Schedule::Schedule(const ScheduleSpec& spec, float learning_rate, std::uint64_t steps_per_epoch,
                   std::uint64_t epochs)
    : spec_(spec), rate_(double{learning_rate}), steps_per_epoch_(steps_per_epoch) {
  check(std::isfinite(spec.warmup_epochs) && spec.warmup_epochs >= 0.0, "--warmup",
        "a finite number of epochs of at least 0", spec.warmup_epochs);
  check(std::isfinite(spec.gamma) && spec.gamma >= 0.0, "--gamma", "a finite number of at least 0",
        spec.gamma);
  check(spec.step_epochs > 0, "--step-epochs", "at least 1", 0.0);
  const double all = static_cast<double>(steps_per_epoch) * static_cast<double>(epochs);
  const double warmup = std::round(spec.warmup_epochs * static_cast<double>(steps_per_epoch));
  if (warmup != 0.0 && warmup >= all) {
    throw std::invalid_argument(
        fmt::format("--warmup: expected fewer steps than the {} of the run, found {} ({} of {})",
                    all, warmup, counted(spec.warmup_epochs, "epoch"),
                    counted(static_cast<double>(steps_per_epoch), "step")));
  }
  warmup_ = static_cast<std::uint64_t>(warmup);
  steps_ = all - warmup;
}

double Schedule::after_warmup(double step) const {
  switch (spec_.kind) {
    case ScheduleSpec::Kind::kConstant:
      break;
    case ScheduleSpec::Kind::kStep: {
      const double period =
          static_cast<double>(spec_.step_epochs) * static_cast<double>(steps_per_epoch_);
      return rate_ * power(spec_.gamma, static_cast<std::uint64_t>(step / period));
    }
    case ScheduleSpec::Kind::kCosine:
      return anneal(rate_, 0.0, std::fmin(step / steps_, 1.0));
    case ScheduleSpec::Kind::kOneCycle:
      return one_cycle(rate_, std::fmin(step, steps_ - 1.0), steps_);
  }
  return rate_;
}

float Schedule::at(std::uint64_t step) const {
  if (step < warmup_) {
    return static_cast<float>(after_warmup(0.0) * static_cast<double>(step + 1) /
                              static_cast<double>(warmup_ + 1));
  }
  return static_cast<float>(after_warmup(static_cast<double>(step - warmup_)));
}

bool Schedule::constant() const noexcept {
  return spec_.kind == ScheduleSpec::Kind::kConstant && warmup_ == 0;
}

bool depends_on_length(const ScheduleSpec& spec) noexcept {
  return spec.kind == ScheduleSpec::Kind::kCosine || spec.kind == ScheduleSpec::Kind::kOneCycle;
}

}  // namespace millrace
