#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace millrace {

/// How many insertions, deletions, substitutions and swaps of neighbours turn `a` into `b`
/// (Damerau, "A technique for computer detection and correction of spelling errors", CACM 7(3),
/// 1964; optimal string alignment: nothing is edited twice).
std::size_t edit_distance(std::string_view a, std::string_view b);

/// What somebody who wrote `word` probably meant: the candidate at the least distance, where one in
/// three of its characters at most is wrong, or one that `word` begins with or is the beginning of.
/// nullopt if nothing is near.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);

/// The same for options, with or without "--", which have other names elsewhere, too: what
/// PyTorch's scripts, Keras and Lightning call --num-workers or learning_rate is --workers, lr.
std::optional<std::string> nearest_option(std::string_view word,
                                          std::span<const std::string> candidates);

}  // namespace millrace
