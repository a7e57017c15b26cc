#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "formats/dtype.h"

// Labels that are numbers to be learnt, however they are stored.

namespace millrace {

/// More targets of a sample than this are taken for a mistake.
inline constexpr std::uint32_t kMostTargets = 1U << 20;

/// Behind what was found in place of a class, where it is a number.
inline constexpr std::string_view kRegressionAdvice =
    " (numbers that are to be learnt: --task regression)";

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

/// What a target is, for messages: "a finite number (float32) as the target of sample 3", "… as
/// target 1 of sample 3" where a sample has several. Both count from 0. `at`: as of BadTarget.
std::string expected_target(std::size_t at, std::uint32_t targets);

}  // namespace millrace
