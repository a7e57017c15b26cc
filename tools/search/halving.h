#pragma once

#include <cstdint>
#include <vector>

namespace millrace {

/// Of a search that gives up what is behind: so many trials are trained up to an epoch.
struct Rung {
  std::uint64_t trials = 0;
  std::uint64_t epochs = 0;  ///< from the beginning

  bool operator==(const Rung&) const = default;
};

/// Successive halving (K. Jamieson and A. Talwalkar, "Non-stochastic best arm identification and
/// hyperparameter optimization", AISTATS 2016): of `trials`, the best one in `factor`, rounded up,
/// goes on from each rung to the next, of `factor` times as many epochs, up to `epochs`. As many
/// rungs as trials and epochs make sense of, at least the last. `factor` 0: one rung, of all.
std::vector<Rung> rungs(std::uint64_t trials, std::uint64_t epochs, std::uint64_t factor);

}  // namespace millrace
