#include "train/sample_labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>

#include "formats/error.h"
#include "formats/in_quotes.h"

namespace millrace {
namespace {

std::span<const std::int32_t> words_of(const Dataset& data) {
  const auto words = data.labels();
  if (!words.empty()) return words;
  throw std::invalid_argument(data.name() + ": expected data whose labels are at hand");
}

}  // namespace

void check_sample_labels(const Dataset& data) {
  const auto words = words_of(data);
  const auto other = std::ranges::find_if(
      words, [](std::int32_t word) { return target_of(word) != 0.0F && target_of(word) != 1.0F; });
  if (other == words.end()) return;
  const auto at = static_cast<std::uint64_t>(other - words.begin());
  const std::uint64_t label = at % data.targets();
  const auto& names = data.column_names().targets;
  throw DataError(data.name(), std::nullopt,
                  fmt::format("0 or 1 as label {} of sample {} (--task multilabel)",
                              names.empty() ? std::to_string(label) : in_quotes(names[label]),
                              at / data.targets()),
                  fmt::format("{}", target_of(*other)));
}

std::vector<double> label_shares(const Dataset& data) {
  const auto words = words_of(data);
  std::vector<double> shares(data.targets());
  for (std::size_t i = 0; i < words.size(); ++i) {
    shares[i % shares.size()] += double{target_of(words[i])};
  }
  for (double& share : shares) share /= static_cast<double>(data.size());
  return shares;
}

double guessing_loss_of_labels(const std::vector<double>& shares) {
  double loss = 0.0;
  for (const double share : shares) {
    for (const double part : {share, 1.0 - share}) {
      if (part > 0.0) loss -= part * std::log(part);
    }
  }
  return shares.empty() ? 0.0 : loss / static_cast<double>(shares.size());
}

}  // namespace millrace
