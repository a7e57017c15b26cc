#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "tools/console/console.h"
#include "tools/search/listener.h"

namespace millrace {

/// Tells a console how a search goes: what each trial came to, which is the best so far, and a bar.
/// Of several equal notices it tells one.
class SearchProgress final : public SearchListener {
 public:
  /// `score` is what scores are called; `axes` and `console` outlive it.
  SearchProgress(Console& console, std::span<const Axis> axes, std::string score);

  void begin(const std::string& label, std::uint64_t runs, std::uint64_t known,
             std::uint64_t epochs) override;
  void epochs_done(std::uint64_t epochs) override;
  void run_done() override;
  void trial_done(const Trial& trial, bool told) override;
  void line(const std::string& text) override;
  void warning(const std::string& text) override;
  void notice(const std::string& text) override;
  void look() override;
  /// No bar any more.
  void clear();

 private:
  Console& console_;
  const std::span<const Axis> axes_;
  const std::string score_;
  std::mutex mutex_;
  std::string label_;
  std::uint64_t runs_ = 0;
  std::uint64_t runs_done_ = 0;
  std::uint64_t epochs_ = 0;
  std::uint64_t epochs_done_ = 0;
  std::chrono::steady_clock::time_point began_;
  std::optional<Trial> best_;
  std::set<std::string> told_;  // notices
};

}  // namespace millrace
