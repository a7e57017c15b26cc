#include "train/label_scores.h"

#include <stdexcept>
#include <utility>

namespace millrace {
namespace {

std::optional<double> ratio(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

LabelScores::LabelScores(std::size_t labels, std::vector<std::string> names)
    : each_(labels), names_(std::move(names)) {
  if (!names_.empty() && names_.size() != labels) {
    throw std::invalid_argument("names of labels: expected " + std::to_string(labels) + ", found " +
                                std::to_string(names_.size()));
  }
}

void LabelScores::add(std::span<const float> truth, std::span<const float> logits) {
  bool exact = true;
  for (std::size_t t = 0; t < each_.size(); ++t) {
    const bool with = truth[t] > 0.5F;
    const bool said = logits[t] >= 0.0F;
    each_[t].with += with ? 1 : 0;
    each_[t].said += said ? 1 : 0;
    each_[t].both += with && said ? 1 : 0;
    exact = exact && with == said;
  }
  ++samples_;
  exact_ += exact ? 1 : 0;
}

std::string LabelScores::name(std::size_t label) const {
  return named() ? names_.at(label) : std::to_string(label);
}

std::uint64_t LabelScores::with(std::size_t label) const { return each_.at(label).with; }
std::uint64_t LabelScores::said(std::size_t label) const { return each_.at(label).said; }

double LabelScores::accuracy(std::size_t label) const {
  const Counts& of = each_.at(label);
  const std::uint64_t wrong = of.with + of.said - 2 * of.both;
  return ratio(samples_ - wrong, samples_).value_or(0.0);
}

std::optional<double> LabelScores::precision(std::size_t label) const {
  return ratio(each_.at(label).both, each_.at(label).said);
}

std::optional<double> LabelScores::recall(std::size_t label) const {
  return ratio(each_.at(label).both, each_.at(label).with);
}

std::optional<double> LabelScores::f1(std::size_t label) const {
  const Counts& of = each_.at(label);
  return ratio(2 * of.both, of.with + of.said);
}

double LabelScores::accuracy() const {
  std::uint64_t wrong = 0;
  for (const Counts& of : each_) wrong += of.with + of.said - 2 * of.both;
  return share_right(static_cast<double>(wrong),
                     static_cast<double>(samples_) * static_cast<double>(each_.size()));
}

double LabelScores::exact() const { return ratio(exact_, samples_).value_or(0.0); }

std::optional<double> LabelScores::micro_f1() const {
  Counts all;
  for (const Counts& of : each_) {
    all.both += of.both;
    all.said += of.said;
    all.with += of.with;
  }
  return ratio(2 * all.both, all.with + all.said);
}

std::optional<double> LabelScores::macro_f1() const {
  double sum = 0.0;
  std::uint64_t defined = 0;
  for (std::size_t t = 0; t < each_.size(); ++t) {
    if (const auto own = f1(t)) {
      sum += *own;
      ++defined;
    }
  }
  if (defined == 0) return std::nullopt;
  return sum / static_cast<double>(defined);
}

}  // namespace millrace
