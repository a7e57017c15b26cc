#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace millrace {

/// Of so many decisions, of which `wrong` are wrong; both whole numbers. The same bits for the same
/// share, wherever it is said.
inline double share_right(double wrong, double decisions) {
  return decisions > 0.0 ? (decisions - wrong) / decisions : 0.0;
}

/// How well a model knows which labels samples have, each label by itself: a logit of at least 0, a
/// probability of one half, is a yes.
class LabelScores {
 public:
  /// `names`: of all labels, or none.
  explicit LabelScores(std::size_t labels, std::vector<std::string> names = {});

  /// Of one sample, [labels] each: 1 for those that it has, else 0; and what the model says.
  void add(std::span<const float> truth, std::span<const float> logits);

  std::size_t labels() const noexcept { return each_.size(); }
  /// Looked at.
  std::uint64_t samples() const noexcept { return samples_; }
  bool named() const noexcept { return !names_.empty(); }
  /// Its name, or its number.
  std::string name(std::size_t label) const;

  /// Samples that have the label, and those that it is said of.
  std::uint64_t with(std::size_t label) const;
  std::uint64_t said(std::size_t label) const;
  /// Of all samples those of which it was rightly said, or not said; 0 without samples.
  double accuracy(std::size_t label) const;
  /// Of those it is said of, which have it; of those that have it, of which it is said; and their
  /// harmonic mean. Not defined where nothing could be right or wrong: 0 / 0.
  std::optional<double> precision(std::size_t label) const;
  std::optional<double> recall(std::size_t label) const;
  std::optional<double> f1(std::size_t label) const;

  /// Of all labels of all samples, those that are right.
  double accuracy() const;
  /// Of all samples, those of which every label is right.
  double exact() const;
  /// The F1 of all labels' decisions taken together, and the mean of the labels' own, of those that
  /// have one.
  std::optional<double> micro_f1() const;
  std::optional<double> macro_f1() const;

 private:
  struct Counts {
    std::uint64_t both = 0;  // said, and so
    std::uint64_t said = 0;
    std::uint64_t with = 0;
  };
  std::vector<Counts> each_;
  std::vector<std::string> names_;
  std::uint64_t samples_ = 0;
  std::uint64_t exact_ = 0;
};

}  // namespace millrace
