#include "tools/search/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "tools/console/figure.h"
#include "tools/search/search_options.h"

namespace millrace {

SearchProgress::SearchProgress(Console& console, std::span<const Axis> axes, std::string score)
    : console_(console), axes_(axes), score_(std::move(score)) {}

void SearchProgress::begin(const std::string& label, std::uint64_t runs, std::uint64_t known,
                           std::uint64_t epochs) {
  const std::lock_guard lock(mutex_);
  label_ = label;
  epochs_done_ = 0;
  runs_ = runs;
  runs_done_ = known;
  epochs_ = epochs;
  began_ = std::chrono::steady_clock::now();
}

void SearchProgress::epochs_done(std::uint64_t epochs) {
  const std::lock_guard lock(mutex_);
  epochs_done_ += epochs;
}

void SearchProgress::run_done() {
  const std::lock_guard lock(mutex_);
  ++runs_done_;
}

void SearchProgress::trial_done(const Trial& trial, bool told) {
  const std::lock_guard lock(mutex_);
  const std::array both{trial, best_.value_or(trial)};
  const bool best = !trial.diverged() && ranked(both).front().number == trial.number;
  if (best) best_ = trial;
  if (!told) return;
  const std::string came_to = trial.diverged() ? "diverged" : score_ + ' ' + figure(trial.score());
  console_.line(fmt::format("Trial {}: {}{}  {}", trial.number, came_to, best ? " *" : "",
                            describe(axes_, trial.values)));
}

void SearchProgress::line(const std::string& text) {
  const std::lock_guard lock(mutex_);
  console_.line(text);
}

void SearchProgress::warning(const std::string& text) {
  const std::lock_guard lock(mutex_);
  console_.warning(text);
}

void SearchProgress::notice(const std::string& text) {
  const std::lock_guard lock(mutex_);
  if (told_.insert(text).second) console_.notice(text);
}

void SearchProgress::look() {
  const std::lock_guard lock(mutex_);
  Bar bar;
  bar.label = label_;
  bar.share = epochs_ == 0
                  ? 1.0
                  : std::min(1.0, static_cast<double>(epochs_done_) / static_cast<double>(epochs_));
  if (bar.share > 0.0) {
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - began_;
    bar.details.push_back(render_duration(passed.count() * (1.0 - bar.share) / bar.share) +
                          " left");
  }
  bar.details.push_back(fmt::format("{} of {} runs", runs_done_, runs_));
  if (best_) bar.details.push_back(fmt::format("best {} {}", score_, figure(best_->score())));
  console_.progress(bar);
}

void SearchProgress::clear() {
  const std::lock_guard lock(mutex_);
  console_.clear_progress();
}

}  // namespace millrace
