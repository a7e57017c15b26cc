#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace {

/// How the learning rate goes over a run: a pure function of the step, so that a resumed run goes
/// on as if it had never stopped.
struct ScheduleSpec {
  enum class Kind : std::uint8_t {
    kConstant,
    kStep,      ///< times `gamma` every `step_epochs` (torch.optim.lr_scheduler.StepLR)
    kCosine,    ///< half a cosine from the learning rate to 0 (CosineAnnealingLR, every step)
    kOneCycle,  ///< up from 1/25 of the learning rate in 30 % of the steps, down to 1/250,000
                ///< (OneCycleLR with cycle_momentum=False; Smith and Topin, arXiv:1708.07120)
  };
  Kind kind = Kind::kConstant;
  double warmup_epochs = 0.0;  ///< first the rate rises in a line; the schedule has the steps after
  std::uint64_t step_epochs = 10;
  double gamma = 0.1;

  bool operator==(const ScheduleSpec&) const = default;
};

/// "constant", "step", "cosine", "one-cycle".
const char* name_of(ScheduleSpec::Kind kind) noexcept;
/// The schedule of that name; nullopt if there is none.
std::optional<ScheduleSpec::Kind> schedule_called(std::string_view name) noexcept;
/// "step by 0.1 every 10 epochs after a warm-up of 0.5 epochs".
std::string describe(const ScheduleSpec& spec);

/// A schedule over the steps of one run.
class Schedule {
 public:
  /// Throws std::invalid_argument for numbers that are not finite or negative, step_epochs 0, or a
  /// warm-up that leaves the run no step after it.
  Schedule(const ScheduleSpec& spec, float learning_rate, std::uint64_t steps_per_epoch,
           std::uint64_t epochs);

  /// The learning rate of step `step` of the run, counted from 0.
  float at(std::uint64_t step) const;
  /// Whether all steps have the same rate.
  bool constant() const noexcept;

 private:
  double after_warmup(double step) const;

  ScheduleSpec spec_;
  double rate_;
  std::uint64_t steps_per_epoch_;
  std::uint64_t warmup_;
  double steps_;  ///< after the warm-up
};

/// Whether the rates of a run depend on how many epochs it will have.
bool depends_on_length(const ScheduleSpec& spec) noexcept;

}  // namespace millrace
