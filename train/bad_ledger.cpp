#include "train/bad_ledger.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "formats/error.h"

namespace millrace {
namespace {

constexpr std::size_t kNamed = 3;  // in the message
constexpr std::array<std::pair<std::string_view, OnBad>, 3> kNames{
    {{"fail", OnBad::kFail}, {"skip", OnBad::kSkip}, {"substitute", OnBad::kSubstitute}}};

}  // namespace

std::uint64_t BadBudget::of(std::uint64_t samples) const noexcept {
  if (count) return *count;
  // 7 % of 100 are 7, although 0.07 * 100 is a little more in binary.
  const double most = std::ceil(share * static_cast<double>(samples) * (1.0 - 1e-12));
  return std::min(samples, static_cast<std::uint64_t>(most));
}

std::string_view name_of(OnBad on_bad) noexcept {
  for (const auto& [name, known] : kNames) {
    if (known == on_bad) return name;
  }
  return "leave out";
}

std::optional<OnBad> on_bad_called(std::string_view name) noexcept {
  for (const auto& [known, on_bad] : kNames) {
    if (known == name) return on_bad;
  }
  return std::nullopt;
}

BadLedger::BadLedger(std::string dataset, std::uint64_t samples, const BadBudget& budget,
                     std::function<void(const BadSample&)> tell)
    : dataset_(std::move(dataset)),
      samples_(samples),
      budget_(budget.of(samples)),
      tell_(std::move(tell)) {}

void BadLedger::report(std::span<const BadPlace> bad) {
  for (const BadPlace& one : bad) {
    if (!known_.insert(one.sample.id).second) continue;
    if (first_.size() < kNamed) first_.push_back(one.sample);
    tell_(one.sample);
  }
  if (known_.size() <= budget_) return;
  std::string line = std::to_string(known_.size()) + " of " + std::to_string(samples_) +
                     " samples cannot be read, where the budget (--bad-budget) is " +
                     std::to_string(budget_);
  const char* before = ": ";
  for (const BadSample& sample : first_) {
    line += before + ("sample " + std::to_string(sample.id)) + " (" + sample.reason + ')';
    before = ", ";
  }
  if (known_.size() > first_.size()) line += ", …";
  throw DataError(dataset_, line);
}

}  // namespace millrace
