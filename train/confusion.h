#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace millrace {

/// How often samples of each class were taken for each class.
class Confusion {
 public:
  /// With more classes than this there is no table(), only the sums of its rows and columns: it
  /// would take more memory than the model.
  static constexpr std::uint32_t kMostTabled = 1024;
  /// People are shown no more classes than this, the worst_classes().
  static constexpr std::size_t kMostShown = 100;

  /// `names` of the classes, or none: then they are called by their numbers.
  explicit Confusion(std::uint32_t classes, std::vector<std::string> names = {});

  /// Throws std::out_of_range for what is no class.
  void add(std::int32_t truth, std::int32_t guess);

  std::uint32_t classes() const noexcept { return static_cast<std::uint32_t>(right_.size()); }
  /// What to call a class: its name, or its number.
  std::string name(std::uint32_t label) const;
  bool named() const noexcept { return !names_.empty(); }
  bool tabled() const noexcept { return !table_.empty(); }
  /// Samples of class `truth` taken for `guess`. Precondition: tabled().
  std::uint64_t count(std::uint32_t truth, std::uint32_t guess) const {
    return table_[std::size_t{truth} * classes() + guess];
  }
  std::uint64_t samples(std::uint32_t truth) const { return truths_[truth]; }
  std::uint64_t guesses(std::uint32_t guess) const { return guesses_[guess]; }
  std::uint64_t total() const noexcept { return total_; }
  std::uint64_t correct() const noexcept { return correct_; }

  /// Of those taken for the class, the share that is of it; none where nothing was taken for it.
  std::optional<double> precision(std::uint32_t label) const;
  /// Of those of the class, the share taken for it; none where there are no samples of it.
  std::optional<double> recall(std::uint32_t label) const;
  /// Their harmonic mean, 2 right / (samples + guesses); none where both are none.
  std::optional<double> f1(std::uint32_t label) const;

  struct Mistake {
    std::uint32_t truth = 0;
    std::uint32_t guess = 0;
    std::uint64_t count = 0;
  };
  /// At most `most` cells off the diagonal, the largest first, of equals the first in the table.
  /// Precondition: tabled().
  std::vector<Mistake> worst(std::size_t most) const;
  /// At most `most` classes to tell people of: all of them in order, or those of the lowest F1,
  /// the lowest first, of equals the one with more samples. Those without samples and guesses are
  /// the last.
  std::vector<std::uint32_t> worst_classes(std::size_t most) const;

 private:
  std::vector<std::string> names_;    // [classes], or empty
  std::vector<std::uint64_t> table_;  // [truth, guess], or empty
  std::vector<std::uint64_t> truths_;
  std::vector<std::uint64_t> guesses_;
  std::vector<std::uint64_t> right_;
  std::uint64_t total_ = 0;
  std::uint64_t correct_ = 0;
};

}  // namespace millrace
