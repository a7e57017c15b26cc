#include "tools/console/suggestion.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>
#include <vector>

namespace millrace {
namespace {

constexpr std::size_t kShortestPrefix = 3;

constexpr std::array<std::pair<std::string_view, std::string_view>, 24> kElsewhere{{
    {"accelerator", "device"},
    {"accumulate-grad-batches", "accumulate"},
    {"amp", "precision"},
    {"cpu", "device"},
    {"cuda", "device"},
    {"data-dir", "data"},
    {"early-stopping", "patience"},
    {"fp16", "precision"},
    {"gpu", "device"},
    {"gradient-clip-val", "clip-norm"},
    {"gradient-accumulation-steps", "accumulate"},
    {"layers", "hidden"},
    {"learning-rate", "lr"},
    {"log-dir", "tensorboard"},
    {"max-epochs", "epochs"},
    {"max-grad-norm", "clip-norm"},
    {"num-epochs", "epochs"},
    {"num-workers", "workers"},
    {"output-dir", "checkpoint-dir"},
    {"random-seed", "seed"},
    {"save-dir", "checkpoint-dir"},
    {"val-split", "val-size"},
    {"validation-split", "val-size"},
    {"wd", "weight-decay"},
}};

bool is_beginning(std::string_view a, std::string_view b) {
  return std::min(a.size(), b.size()) >= kShortestPrefix && (a.starts_with(b) || b.starts_with(a));
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Three rows of the table: row i holds the distances of a's first i characters to b's beginnings.
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(before, above);
    std::swap(above, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitution = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + substitution});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates) {
  std::optional<std::string> best;
  std::size_t best_distance = 0;
  for (const std::string& candidate : candidates) {
    const bool beginning = is_beginning(word, candidate);
    // A whole option with more behind it: --batch-size for --batch rather than for --batch-norm.
    const bool extended =
        beginning && word.size() > candidate.size() && word[candidate.size()] == '-';
    const std::size_t distance = extended ? 1 : edit_distance(word, candidate);
    const std::size_t most = std::max<std::size_t>(1, candidate.size() / 3);
    if (distance > most && !beginning) continue;
    if (best && distance >= best_distance) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

std::optional<std::string> nearest_option(std::string_view word,
                                          std::span<const std::string> candidates) {
  const std::string_view dashes = word.substr(0, word.starts_with("--") ? 2 : 0);
  std::string name(word.substr(dashes.size()));
  std::ranges::replace(name, '_', '-');
  const auto* known = std::ranges::find(kElsewhere, name, [](const auto& e) { return e.first; });
  if (known != kElsewhere.end()) {
    const auto option = std::string(dashes) + std::string(known->second);
    if (std::ranges::find(candidates, option) != candidates.end()) return option;
  }
  return nearest(std::string(dashes) + name, candidates);
}

}  // namespace millrace
