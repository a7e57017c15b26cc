#include "loader/permutation.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>

#include "formats/philox_words.h"

namespace millrace {
namespace {

// Keeps these draws apart from others that a seed may serve.
constexpr std::uint32_t kPurpose = 0x7065726D;

// Uniform in [0, bound), without bias: Lemire, "Fast random integer generation in an interval"
// (ACM TOMACS 2019).
std::uint32_t below(std::uint32_t bound, PhiloxWords& words) noexcept {
  const std::uint32_t reject_below = (0U - bound) % bound;
  std::uint64_t product = 0;
  do {
    product = std::uint64_t{words.next()} * bound;
  } while (static_cast<std::uint32_t>(product) < reject_below);
  return static_cast<std::uint32_t>(product >> 32U);
}

}  // namespace

Permutation::Permutation(std::uint64_t size, std::uint64_t seed, std::uint64_t stream) {
  if (size > Feistel::kMaxSize) {
    throw std::invalid_argument("a permutation of " + std::to_string(size) +
                                " indices is too large: the limit is 2^62");
  }
  feistel_.size = size;
  PhiloxWords words(seed, kPurpose, stream);
  if (tabled()) {
    for (std::size_t i = 0; i < size; ++i) table_[i] = static_cast<std::uint8_t>(i);
    for (std::size_t i = size; i > 1; --i) {
      std::swap(table_[i - 1], table_[below(static_cast<std::uint32_t>(i), words)]);
    }
    return;
  }
  // Halves of about equal size mix best.
  feistel_.row_bits = static_cast<std::uint32_t>(std::bit_width(size - 1)) / 2;
  feistel_.columns = static_cast<std::uint32_t>(((size - 1) >> feistel_.row_bits) + 1);
  feistel_.round_pairs = Feistel::round_pairs_for(size);
  for (auto& key : feistel_.keys) key = {words.next(), words.next()};
}

std::uint64_t Permutation::operator()(std::uint64_t index) const noexcept {
  return tabled() ? table_[index] : feistel_(index);
}

std::uint64_t Permutation::inverse(std::uint64_t image) const noexcept {
  if (!tabled()) return feistel_.inverse(image);
  const auto* const found = std::find(table_.begin(), table_.begin() + feistel_.size, image);
  return static_cast<std::uint64_t>(found - table_.begin());
}

void Permutation::range(std::uint64_t first, std::span<std::uint64_t> out) const noexcept {
  if (!tabled()) return feistel_range(feistel_, first, out);
  std::copy_n(table_.begin() + static_cast<std::ptrdiff_t>(first), out.size(), out.begin());
}

void Permutation::apply(std::span<std::uint64_t> values) const noexcept {
  if (!tabled()) return feistel_apply(feistel_, values);
  for (auto& value : values) value = table_[value];
}

void Permutation::invert(std::span<std::uint64_t> values) const noexcept {
  if (!tabled()) return feistel_invert(feistel_, values);
  for (auto& value : values) value = inverse(value);
}

}  // namespace millrace
