#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

/// Numbers that values are drawn from, both ends included.
struct ValueRange {
  double low = 0.0;
  double high = 0.0;
  bool whole = false;        ///< whole numbers alone; for who knows the option to say
  bool logarithmic = false;  ///< each doubling is as likely as the next, in place of each unit
};

/// What a search tries for one option.
struct Axis {
  std::string option;               ///< as in a config file, without dashes: "lr"
  std::vector<std::string> values;  ///< of a list, in its order; empty where there is a range
  std::optional<ValueRange> range;
};

/// Reads "lr=0.1/0.3/1", a list; "dropout=0..0.5", a range; "lr=0.01..1:log". Leading dashes of the
/// option do not matter. Throws UsageError with one line that names the option.
Axis parse_axis(std::string_view text);

/// As drawn values are written: a whole number, or four digits, and more where the ends differ in
/// later ones; never beyond them.
std::string value_text(double value, const ValueRange& range);

/// Of text that is a finite number and nothing else.
std::optional<double> number_in(std::string_view text);

/// The same text for 0.1, 0.10 and 1e-1; of what is no number the text itself.
std::string one_spelling(const std::string& value);

/// "lr 0.01 to 1 (log)", "hidden 32, 64 or 128".
std::string describe(const Axis& axis);

/// A value for each axis, as on a command line.
using Combination = std::vector<std::string>;

/// How many combinations there are; none where there is a range, or more than 2^62.
std::optional<std::uint64_t> combinations(std::span<const Axis> axes);

/// What a search tries: all combinations, the last axis changing first; or, given a number, so many
/// that differ from each other, or all where there are no more.
///
/// They are drawn by Philox from `seed`, each on its own: more of them begin with the same ones.
/// Throws std::invalid_argument for no axes, and for no number where combinations() is none.
std::vector<Combination> trials(std::span<const Axis> axes, std::optional<std::uint64_t> number,
                                std::uint64_t seed);

}  // namespace millrace
