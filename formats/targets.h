#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/dtype.h"

// Labels that are numbers to be learnt, however they are stored.

namespace millrace {

/// More targets of a sample than this are taken for a mistake.
inline constexpr std::uint32_t kMostTargets = 1U << 20;

/// How many of a sample an array of that shape holds, [count] or [count, targets]; 0 where it holds
/// none, or more than kMostTargets.
template <typename Dim>
std::uint64_t targets_in(const std::vector<Dim>& dims) {
  const std::uint64_t targets = dims.size() == 1 ? 1 : dims.size() == 2 ? dims[1] : 0;
  return targets > kMostTargets ? 0 : targets;
}

/// Behind what was found in place of a class, where it is a number.
inline constexpr std::string_view kRegressionAdvice =
    " (numbers that are to be learnt: --task regression; of 0 and 1 for each label: --task "
    "multilabel)";

/// A number that is no target.
struct BadTarget {
  std::size_t at = 0;  ///< how many come before it
  std::string found;   ///< "nan", "1e+300"
};

/// Makes numbers of type `dtype`, in host byte order, targets: rounded to the nearest float32, by
/// its bits (target_word()). `numbers` holds words.size() of them and need not be aligned. Returns
/// the first that is not finite, or not as a float32; `words` is unspecified then.
std::optional<BadTarget> read_targets(DType dtype, std::span<const std::byte> numbers,
                                      std::span<std::int32_t> words);

/// The first of `words`, targets, that is neither 0 nor 1: no label that a sample has or has not.
std::optional<BadTarget> find_no_label(std::span<const std::int32_t> words);

/// What a target is, for messages: "a finite number (float32) as the target of sample 3", "… as
/// target 1 of sample 3" where a sample has several. Both count from 0. `at`: as of BadTarget.
std::string expected_target(std::size_t at, std::uint32_t targets);

}  // namespace millrace
