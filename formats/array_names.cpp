#include "formats/array_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "formats/error.h"
#include "formats/in_quotes.h"
#include "formats/text.h"

namespace millrace {
namespace {

struct Word {
  std::string_view text;
  ArrayRole role;
};
constexpr std::array<Word, 12> kWords{{{"x", ArrayRole::kSamples},
                                       {"images", ArrayRole::kSamples},
                                       {"data", ArrayRole::kSamples},
                                       {"features", ArrayRole::kSamples},
                                       {"samples", ArrayRole::kSamples},
                                       {"inputs", ArrayRole::kSamples},
                                       {"y", ArrayRole::kLabels},
                                       {"label", ArrayRole::kLabels},
                                       {"labels", ArrayRole::kLabels},
                                       {"target", ArrayRole::kLabels},
                                       {"targets", ArrayRole::kLabels},
                                       {"classes", ArrayRole::kLabels}}};

std::optional<ArrayRole> role_called(std::string_view word) {
  for (const auto& known : kWords) {
    if (std::ranges::equal(word, known.text, {}, lower)) return known.role;
  }
  return std::nullopt;
}

std::string describe(const ArrayName& name) {
  return fmt::format("{}{}", name.split ? fmt::format("{} ", name_of(*name.split)) : "",
                     name.role == ArrayRole::kSamples ? "samples" : "labels");
}

/// Two places for each split, one for names without.
class Found {
 public:
  Found(const std::string& source, std::span<const std::string> names) : source_(source) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto name = parse_array_name(names[i]);
      if (!name) continue;
      auto& place = at(name->split, name->role);
      if (place) {
        throw DataError(source, std::nullopt,
                        fmt::format("one array of {} (those that are meant, in a file without the "
                                    "other)",
                                    describe(*name)),
                        fmt::format("{} and {}", in_quotes(names[*place]), in_quotes(names[i])));
      }
      place = i;
    }
    names_ = names;
  }

  /// What is there of any split but these two.
  std::vector<std::size_t> besides(const ArrayPairs& pairs) const {
    std::vector<std::size_t> left;
    const auto in = [](const std::optional<ArrayPairs::Pair>& pair, std::size_t place) {
      return pair && (place == pair->samples || place == pair->labels);
    };
    for (const auto& places : places_) {
      for (const auto& place : places) {
        if (place && !in(pairs.train, *place) && !in(pairs.test, *place) &&
            !in(pairs.validation, *place)) {
          left.push_back(*place);
        }
      }
    }
    return left;
  }

  bool has(std::optional<DataSplit> split) const {
    return at(split, ArrayRole::kSamples) || at(split, ArrayRole::kLabels);
  }

  ArrayPairs::Pair pair(std::optional<DataSplit> split) const {
    for (const auto role : {ArrayRole::kSamples, ArrayRole::kLabels}) {
      const auto other = role == ArrayRole::kSamples ? ArrayRole::kLabels : ArrayRole::kSamples;
      if (!at(split, role)) {
        throw DataError(source_, std::nullopt,
                        fmt::format("an array of {} beside {}", describe({role, split}),
                                    in_quotes(names_[at(split, other).value()])),
                        "none");
      }
    }
    return {.samples = *at(split, ArrayRole::kSamples), .labels = *at(split, ArrayRole::kLabels)};
  }

 private:
  using Place = std::optional<std::size_t>;
  static std::size_t row(std::optional<DataSplit> split) {
    return split ? 1 + static_cast<std::size_t>(*split) : 0;
  }
  Place& at(std::optional<DataSplit> split, ArrayRole role) {
    return places_[row(split)][static_cast<std::size_t>(role)];
  }
  const Place& at(std::optional<DataSplit> split, ArrayRole role) const {
    return places_[row(split)][static_cast<std::size_t>(role)];
  }

  const std::string& source_;
  std::span<const std::string> names_;
  std::array<std::array<Place, 2>, 4> places_{};
};

}  // namespace

std::optional<ArrayName> parse_array_name(std::string_view name) {
  if (name == "arr_0") return ArrayName{.role = ArrayRole::kSamples, .split = {}};
  if (name == "arr_1") return ArrayName{.role = ArrayRole::kLabels, .split = {}};
  if (const auto role = role_called(name)) return ArrayName{.role = *role, .split = {}};
  const auto between = name.find_first_of("_-.");
  if (between == std::string_view::npos) return std::nullopt;
  const auto first = name.substr(0, between);
  const auto second = name.substr(between + 1);
  const bool split_first = split_called(first).has_value();
  const auto split = split_called(split_first ? first : second);
  const auto role = role_called(split_first ? second : first);
  if (!split || !role) return std::nullopt;
  return ArrayName{.role = *role, .split = split};
}

std::optional<ArrayPairs> find_array_pairs(const std::string& source,
                                           std::span<const std::string> names,
                                           bool own_validation) {
  const Found found(source, names);
  std::optional<DataSplit> train;
  if (found.has(DataSplit::kTrain)) train = DataSplit::kTrain;
  std::optional<DataSplit> test;
  for (const auto split : {DataSplit::kTest, DataSplit::kValidation}) {
    if (!test && found.has(split)) test = split;
  }
  if (!found.has(train)) {
    if (!test) return std::nullopt;
    throw DataError(source, std::nullopt, "arrays to train on (x_train, y_train)",
                    fmt::format("a {} set only", name_of(*test)));
  }
  ArrayPairs pairs{.train = found.pair(train), .test = {}, .validation = {}, .left_out = {}};
  if (test) pairs.test = found.pair(test);
  if (own_validation && test == DataSplit::kTest && found.has(DataSplit::kValidation)) {
    pairs.validation = found.pair(DataSplit::kValidation);
  }
  pairs.left_out = found.besides(pairs);
  return pairs;
}

}  // namespace millrace
