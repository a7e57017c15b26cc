#include "train/sample_labels.h"

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>

#include "formats/error.h"
#include "formats/in_quotes.h"
#include "formats/targets.h"

namespace millrace {
namespace {

std::span<const std::int32_t> words_of(const Dataset& data) {
  const auto words = data.labels();
  if (!words.empty()) return words;
  throw std::invalid_argument(data.name() + ": expected data whose labels are at hand");
}

}  // namespace

void check_sample_labels(const Dataset& data) {
  if (data.size() == 0) return;
  const auto other = find_no_label(words_of(data));
  if (!other) return;
  const std::size_t label = other->at % data.targets();
  const auto& names = data.column_names().targets;
  throw DataError(data.name(), std::nullopt, "labels of 0 and 1 (--task multilabel)",
                  fmt::format("{} as label {} of sample {}", other->found,
                              names.empty() ? std::to_string(label) : in_quotes(names[label]),
                              other->at / data.targets()));
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
