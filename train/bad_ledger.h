#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "loader/bad_sample.h"

namespace millrace {

/// How many samples of a data set may be bad: a share of them, rounded up, or a number.
struct BadBudget {
  double share = 0.001;
  std::optional<std::uint64_t> count;  ///< has precedence

  std::uint64_t of(std::uint64_t samples) const noexcept;
  bool operator==(const BadBudget&) const = default;
};

/// "fail", "skip", "substitute"; for OnBad::kLeaveOut, which nobody asks for by name, "leave out".
std::string_view name_of(OnBad on_bad) noexcept;
/// nullopt for a name that is none of the first three.
std::optional<OnBad> on_bad_called(std::string_view name) noexcept;

/// Counts the samples of one data set that could not be read, each once, and ends the run when they
/// are too many. One thread at a time.
class BadLedger {
 public:
  /// `tell` hears of each bad sample once, in the order in which they are reported.
  BadLedger(std::string dataset, std::uint64_t samples, const BadBudget& budget,
            std::function<void(const BadSample&)> tell);

  /// Throws DataError naming the data set, count, budget and the first bad samples once there are
  /// more than the budget allows; all of `bad` are counted and told before. What `tell` throws goes
  /// on to the caller.
  void report(std::span<const BadPlace> bad);

  std::uint64_t count() const noexcept { return known_.size(); }
  /// Numbers of those samples.
  const std::set<std::uint64_t>& known() const noexcept { return known_; }
  std::uint64_t budget() const noexcept { return budget_; }

 private:
  std::string dataset_;
  std::uint64_t samples_;
  std::uint64_t budget_;
  std::function<void(const BadSample&)> tell_;
  std::set<std::uint64_t> known_;
  std::vector<BadSample> first_;
};

}  // namespace millrace
