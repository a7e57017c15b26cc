#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace millrace::cpu {

/// How many members of a team share the work of a training step: found out by timing steps, for
/// members that meet three times in each lose more by it than they gain where a network is small.
/// All of a team, halves of it down to one, are tried in turn with steps of the run, whose results
/// do not depend on it; the fastest is kept, the fewest where some are as fast, and all are tried
/// again soon, then ever more rarely while the answer stays the same.
class TeamSize {
 public:
  /// `most`: all of a team, at least 1. Without `choose` all share, always.
  TeamSize(std::uint32_t most, bool choose);

  /// Whether there is a choice.
  bool choosing() const noexcept { return candidates_.size() > 1; }
  /// That share the next units of work (a batch, or a part of one).
  std::uint32_t members() const noexcept { return candidates_[at_].members; }
  /// What the last trial came to, or all before the first.
  std::uint32_t chosen() const noexcept { return candidates_[chosen_].members; }
  /// How many units to run before members() is asked again: 1 at least.
  std::uint32_t units() const noexcept;
  /// members() ran `units` in `seconds` of wall time.
  void ran(std::uint32_t units, double seconds);

 private:
  struct Candidate {
    std::uint32_t members = 1;
    std::vector<double> times;  // of a unit, one a round
    double least() const;
    double median() const;
  };

  void begin_trial();
  void begin_turn(std::size_t candidate);
  void begin_time();
  void end_turn();
  void settle();

  std::vector<Candidate> candidates_;  // from all members down to one
  std::size_t at_ = 0;
  std::size_t alive_ = 0;  // the first so many are worth another turn
  std::size_t chosen_ = 0;
  bool trying_ = false;
  bool leading_in_ = false;
  // Of the turn under way, or since the last trial.
  std::uint32_t units_ = 0;
  double seconds_ = 0.0;
  double unit_s_ = 0.0;   // the last known, by which a turn's length is foreseen
  double trial_s_ = 0.0;  // spent on the trial
  double pause_s_ = 0.0;  // from one trial to the next
};

}  // namespace millrace::cpu
