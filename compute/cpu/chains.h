#pragma once

#include <cstddef>

namespace millrace::cpu {

/// A sum in so many chains, which take turns, so that it is not one addition's latency for each
/// term. Their order, and so the sum's, depends on nothing but kChains.
template <std::size_t kChains>
struct Chains {
  double parts[kChains] = {};

  double sum() const {
    double all = parts[0];
    for (std::size_t c = 1; c < kChains; ++c) all += parts[c];
    return all;
  }
};

}  // namespace millrace::cpu
