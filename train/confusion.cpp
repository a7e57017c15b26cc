#include "train/confusion.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <utility>

namespace millrace {
namespace {

std::optional<double> share(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

Confusion::Confusion(std::uint32_t classes, std::vector<std::string> names)
    : names_(std::move(names)),
      table_(classes <= kMostTabled ? std::size_t{classes} * classes : 0),
      truths_(classes),
      guesses_(classes),
      right_(classes) {
  if (!names_.empty() && names_.size() != classes) {
    throw std::invalid_argument(std::to_string(names_.size()) + " names of " +
                                std::to_string(classes) + " classes");
  }
}

std::string Confusion::name(std::uint32_t label) const {
  return names_.empty() ? std::to_string(label) : names_.at(label);
}

void Confusion::add(std::int32_t truth, std::int32_t guess) {
  const auto row = static_cast<std::size_t>(truth);
  const auto column = static_cast<std::size_t>(guess);
  ++truths_.at(row);
  ++guesses_.at(column);
  if (tabled()) ++table_[row * classes() + column];
  ++total_;
  if (row != column) return;
  ++right_[row];
  ++correct_;
}

std::optional<double> Confusion::precision(std::uint32_t label) const {
  return share(right_[label], guesses_[label]);
}

std::optional<double> Confusion::recall(std::uint32_t label) const {
  return share(right_[label], truths_[label]);
}

std::optional<double> Confusion::f1(std::uint32_t label) const {
  return share(2 * right_[label], truths_[label] + guesses_[label]);
}

std::vector<Confusion::Mistake> Confusion::worst(std::size_t most) const {
  std::vector<Mistake> all;
  for (std::uint32_t truth = 0; truth < classes(); ++truth) {
    for (std::uint32_t guess = 0; guess < classes(); ++guess) {
      if (truth != guess && count(truth, guess) > 0) {
        all.push_back({truth, guess, count(truth, guess)});
      }
    }
  }
  std::ranges::stable_sort(all, std::ranges::greater{}, &Mistake::count);
  if (all.size() > most) all.resize(most);
  return all;
}

std::vector<std::uint32_t> Confusion::worst_classes(std::size_t most) const {
  std::vector<std::uint32_t> labels(classes());
  std::iota(labels.begin(), labels.end(), 0U);
  if (labels.size() <= most) return labels;
  const auto worse = [this](std::uint32_t a, std::uint32_t b) {
    const double of_a = f1(a).value_or(2.0);
    const double of_b = f1(b).value_or(2.0);
    if (of_a != of_b) return of_a < of_b;
    return samples(a) != samples(b) ? samples(a) > samples(b) : a < b;
  };
  std::ranges::partial_sort(labels, labels.begin() + static_cast<std::ptrdiff_t>(most), worse);
  labels.resize(most);
  return labels;
}

}  // namespace millrace
