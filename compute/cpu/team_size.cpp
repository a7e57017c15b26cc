#include "compute/cpu/team_size.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace millrace::cpu {
namespace {

constexpr std::size_t kRounds = 5;
// A turn begins with steps that are not timed, in which caches get what is now theirs.
constexpr double kLeadIn = 0.1e-3;
constexpr double kTurn = 0.5e-3;
constexpr double kLongUnit = 1e-3;  // beside which caches do not matter
// Candidates so much slower than another get no further turn, nor do those with fewer members.
constexpr double kHopeless = 1.5;
// Fewer members may be so much slower: the cores that they leave are of use to others.
constexpr double kAsFast = 1.02;
constexpr double kFirstPause = 10e-3;  // a run's first steps find nothing in caches
// From one trial to the next, in trials, which take a few milliseconds, or a step of each candidate
// where steps are long: at first, then twice as long each time. A new answer is soon held against
// another trial, for it may be due to another process that had a core just then.
constexpr double kPause = 30.0;
constexpr double kPauseAfterChange = 4.0;
constexpr double kMostPause = 300.0;
constexpr double kMostPauseSeconds = 30.0;

}  // namespace

TeamSize::TeamSize(std::uint32_t most, bool choose) {
  candidates_.push_back({most, {}});
  while (choose && candidates_.back().members > 1) {
    candidates_.push_back({candidates_.back().members / 2, {}});
  }
  pause_s_ = kFirstPause;
}

std::uint32_t TeamSize::units() const noexcept {
  constexpr std::uint32_t kAll = std::numeric_limits<std::uint32_t>::max();
  if (!choosing()) return kAll;
  if (unit_s_ <= 0.0) return 1;
  const double whole = !trying_ ? pause_s_ : leading_in_ ? kLeadIn : kTurn;
  const double wanted = std::ceil((whole - seconds_) / unit_s_);
  return wanted < 1e9 ? static_cast<std::uint32_t>(std::max(wanted, 1.0)) : kAll;
}

void TeamSize::ran(std::uint32_t units, double seconds) {
  if (!choosing() || units == 0) return;
  unit_s_ = seconds / units;
  if (trying_) trial_s_ += seconds;
  units_ += units;
  seconds_ += seconds;
  if (!trying_) {
    if (seconds_ >= pause_s_) begin_trial();
  } else if (leading_in_) {
    if (seconds_ >= kLeadIn) begin_time();
  } else if (seconds_ >= kTurn) {
    end_turn();
  }
}

void TeamSize::begin_trial() {
  trying_ = true;
  trial_s_ = 0.0;
  alive_ = candidates_.size();
  for (Candidate& candidate : candidates_) candidate.times.clear();
  begin_turn(0);
}

void TeamSize::begin_turn(std::size_t candidate) {
  at_ = candidate;
  begin_time();
  leading_in_ = unit_s_ < kLongUnit;
}

void TeamSize::begin_time() {
  leading_in_ = false;
  units_ = 0;
  seconds_ = 0.0;
}

void TeamSize::end_turn() {
  candidates_[at_].times.push_back(seconds_ / units_);
  double best = std::numeric_limits<double>::max();
  for (std::size_t i = 0; i < alive_; ++i) best = std::min(best, candidates_[i].least());
  if (at_ > 0 && candidates_[at_].least() > kHopeless * best) alive_ = at_;
  if (at_ + 1 < alive_) return begin_turn(at_ + 1);
  if (alive_ > 1 && candidates_.front().times.size() < kRounds) return begin_turn(0);
  settle();
}

void TeamSize::settle() {
  double best = std::numeric_limits<double>::max();
  for (std::size_t i = 0; i < alive_; ++i) best = std::min(best, candidates_[i].median());
  const std::size_t before = chosen_;
  for (std::size_t i = 0; i < alive_; ++i) {
    if (candidates_[i].median() <= kAsFast * best) chosen_ = i;
  }
  if (chosen_ != before) {
    pause_s_ = kPauseAfterChange * trial_s_;
  } else {
    const double most = std::max(kMostPauseSeconds, kMostPause * trial_s_);
    pause_s_ = std::max(std::min(2.0 * pause_s_, most), kPause * trial_s_);
  }
  trying_ = false;
  at_ = chosen_;
  begin_time();
}

double TeamSize::Candidate::least() const {
  return times.empty() ? std::numeric_limits<double>::max()
                       : *std::min_element(times.begin(), times.end());
}

double TeamSize::Candidate::median() const {
  std::vector<double> sorted = times;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  return *middle;
}

}  // namespace millrace::cpu
