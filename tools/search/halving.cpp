#include "tools/search/halving.h"

#include <algorithm>

namespace millrace {
namespace {

// How many times `number` can be divided by `factor` before it is less than that.
std::uint64_t divisions(std::uint64_t number, std::uint64_t factor) {
  std::uint64_t count = 0;
  for (; number >= factor; number /= factor) ++count;
  return count;
}

std::uint64_t part(std::uint64_t number, std::uint64_t divisor) {
  return number / divisor + (number % divisor != 0 ? 1 : 0);
}

}  // namespace

std::vector<Rung> rungs(std::uint64_t trials, std::uint64_t epochs, std::uint64_t factor) {
  if (factor < 2) return {{trials, epochs}};
  const std::uint64_t cuts = std::min(divisions(trials, factor), divisions(epochs, factor));
  std::uint64_t share = 1;  // of the epochs, one in so many
  for (std::uint64_t i = 0; i < cuts; ++i) share *= factor;
  std::vector<Rung> all;
  for (std::uint64_t left = trials; share > 0; share /= factor) {
    all.push_back({left, part(epochs, share)});
    left = part(left, factor);
  }
  return all;
}

}  // namespace millrace
