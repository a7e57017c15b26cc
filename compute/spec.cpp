#include "compute/spec.h"

namespace millrace {

std::vector<std::uint32_t> MlpSpec::widths() const {
  std::vector<std::uint32_t> all{features};
  all.insert(all.end(), hidden.begin(), hidden.end());
  all.push_back(classes);
  return all;
}

std::uint64_t MlpSpec::parameter_count() const {
  const auto all = widths();
  std::uint64_t count = 0;
  for (std::size_t i = 1; i < all.size(); ++i) count += (std::uint64_t{all[i - 1]} + 1) * all[i];
  return count;
}

std::uint64_t MlpSpec::train_flops_per_sample() const {
  const auto all = widths();
  std::uint64_t flops = 0;
  for (std::size_t i = 1; i < all.size(); ++i) {
    const std::uint64_t product = 2 * std::uint64_t{all[i - 1]} * all[i];
    flops += product * (i == 1 ? 2 : 3);
  }
  return flops;
}

}  // namespace millrace
