#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/split_names.h"

namespace millrace {

enum class ArrayRole : std::uint8_t { kSamples, kLabels };

/// What the name of an array in a data set says, in any case:
///
///     {x|images|data|features|samples|inputs|y|label|labels|target|targets|classes}
///
/// alone, or with a split (split_called) before or behind it and '_', '-' or '.' between:
/// "x_train", "test_labels", "train-images". NumPy's own "arr_0" and "arr_1" are samples and
/// labels.
struct ArrayName {
  ArrayRole role = ArrayRole::kSamples;
  std::optional<DataSplit> split;
};

/// nullopt for any other name.
std::optional<ArrayName> parse_array_name(std::string_view name);

/// Which of some names are a data set: indices into them.
struct ArrayPairs {
  struct Pair {
    std::size_t samples = 0;
    std::size_t labels = 0;
  };
  Pair train;
  std::optional<Pair> test;
  std::optional<Pair> validation;
  std::vector<std::size_t> left_out;  ///< other samples and labels
};

/// The training set is what is called so, else what has no split in its name; the test set what is
/// called so, else the validation set; beside a test set that is a pair of its own where it is
/// asked for (`own_validation`). nullopt if no name is that of samples or labels. Throws DataError
/// for `source`: half a pair, two names for one thing, a test set alone.
std::optional<ArrayPairs> find_array_pairs(const std::string& source,
                                           std::span<const std::string> names,
                                           bool own_validation = false);

}  // namespace millrace
