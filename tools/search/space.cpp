#include "tools/search/space.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <stdexcept>

#include "formats/exact_math.h"
#include "formats/philox_words.h"
#include "loader/permutation.h"
#include "tools/console/numbers.h"
#include "tools/console/usage_error.h"

namespace millrace {
namespace {

constexpr std::uint32_t kPurpose = 0x73726368;  // of draws from a search's seed
// Epochs count up from 0, and the split is the first from the top.
constexpr std::uint64_t kSearchStream = kSplitStream - 1;
constexpr std::uint64_t kMost = std::uint64_t{1} << 62U;
// A combination that was drawn before is drawn again, but not for ever.
constexpr std::uint64_t kAttempts = 256;

ValueRange parse_range(std::string_view text, std::size_t dots) {
  constexpr std::string_view kLog = ":log";
  ValueRange range;
  std::string_view ends = text;
  range.logarithmic = ends.ends_with(kLog);
  if (range.logarithmic) ends.remove_suffix(kLog.size());
  const std::string_view low = ends.substr(0, dots);
  const std::string_view high = ends.size() < dots + 2 ? "" : ends.substr(dots + 2);
  const auto from = number_in(low);
  const auto to = number_in(high);
  if (!from || !to || *from >= *to || !std::isfinite(*to - *from)) {
    throw UsageError(
        "expected two numbers, the lower one first, as 0.01..1 or 0.01..1:log, found " +
        shown(text));
  }
  if (range.logarithmic && *from <= 0.0) {
    throw UsageError("expected a lower end above 0 for :log, found " + shown(low));
  }
  range.low = *from;
  range.high = *to;
  return range;
}

std::vector<std::string> parse_list(std::string_view text) {
  std::vector<std::string> values;
  for (std::string_view rest = text;;) {
    const std::size_t end = rest.find('/');
    const std::string value(rest.substr(0, end));
    if (value.empty()) throw UsageError("expected values with / between, found " + shown(text));
    const auto same = [&](const std::string& other) {
      return one_spelling(other) == one_spelling(value);
    };
    if (const auto twice = std::ranges::find_if(values, same); twice != values.end()) {
      throw UsageError("expected each value once, found " + shown(*twice) + " and " + shown(value));
    }
    values.push_back(value);
    if (end == std::string_view::npos) return values;
    rest.remove_prefix(end + 1);
  }
}

// A number in [0, 1).
double uniform(PhiloxWords& words) {
  const auto high = std::uint64_t{words.next()} << 21U;
  const auto low = std::uint64_t{words.next()} >> 11U;
  return static_cast<double>(high | low) * 0x1p-53;
}

std::string draw(const ValueRange& range, PhiloxWords& words) {
  const double share = uniform(words);
  // Half a unit at both ends, so that whole ends are as likely as what lies between them.
  const double margin = range.whole ? 0.5 : 0.0;
  const double low = range.low - margin;
  const double high = range.high + margin;
  double value = range.logarithmic ? low * exponential(share * std::log(high / low))
                                   : low + share * (high - low);
  if (range.whole) value = std::round(value);
  return value_text(std::clamp(value, range.low, range.high), range);
}

std::string draw(const Axis& axis, PhiloxWords& words) {
  if (axis.range) return draw(*axis.range, words);
  const std::uint64_t count = axis.values.size();
  return axis.values[static_cast<std::size_t>(std::uint64_t{words.next()} * count >> 32U)];
}

Combination numbered(std::span<const Axis> axes, std::uint64_t number) {
  Combination values(axes.size());
  for (std::size_t i = axes.size(); i-- > 0;) {
    const auto& list = axes[i].values;
    values[i] = list[number % list.size()];
    number /= list.size();
  }
  return values;
}

std::vector<Combination> drawn(std::span<const Axis> axes, std::uint64_t number,
                               std::uint64_t seed) {
  std::vector<Combination> all;
  std::set<Combination> seen;
  for (std::uint64_t trial = 0; trial < number; ++trial) {
    PhiloxWords words(seed, kPurpose, trial);
    bool found = false;
    for (std::uint64_t attempt = 0; attempt < kAttempts && !found; ++attempt) {
      Combination values;
      for (const Axis& axis : axes) values.push_back(draw(axis, words));
      found = seen.insert(values).second;
      if (found) all.push_back(std::move(values));
    }
    if (!found) break;
  }
  return all;
}

}  // namespace

Axis parse_axis(std::string_view text) {
  const std::size_t equals = text.find('=');
  Axis axis;
  axis.option = text.substr(0, equals);
  axis.option.erase(0, std::min(axis.option.find_first_not_of('-'), axis.option.size()));
  if (equals == std::string_view::npos || axis.option.empty()) {
    throw UsageError(
        "expected an option and what to try for it, as lr=0.1/0.3 or lr=0.01..1:log, "
        "found " +
        shown(text));
  }
  const std::string_view values = text.substr(equals + 1);
  try {
    const std::size_t dots = values.find("..");
    if (dots != std::string_view::npos) {
      axis.range = parse_range(values, dots);
    } else {
      axis.values = parse_list(values);
    }
  } catch (const UsageError& error) {
    throw UsageError("--" + axis.option + ": " + error.what());
  }
  return axis;
}

std::string value_text(double value, const ValueRange& range) {
  if (range.whole) return fmt::format("{:.0f}", value);
  constexpr int kDigits = 4;
  constexpr int kMostDigits = 17;
  const double largest = std::max(std::abs(range.low), std::abs(range.high));
  const int shared = static_cast<int>(std::log10(largest / (range.high - range.low)));
  std::string text =
      fmt::format("{:.{}g}", value, std::clamp(kDigits + shared, kDigits, kMostDigits));
  const auto written = number_in(text);  // none where it was rounded up to infinity
  if (written && *written >= range.low && *written <= range.high) return text;
  return fmt::format("{}", value - range.low < range.high - value ? range.low : range.high);
}

std::optional<double> number_in(std::string_view text) {
  double number = 0.0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || at != end || !std::isfinite(number)) return std::nullopt;
  return number;
}

std::string one_spelling(const std::string& value) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!value.empty() && std::ranges::all_of(value, is_digit)) {
    // More digits than a double has, perhaps.
    return value.substr(std::min(value.find_first_not_of('0'), value.size() - 1));
  }
  const auto number = number_in(value);
  return number ? fmt::format("{}", *number) : value;
}

std::string describe(const Axis& axis) {
  std::string text = axis.option + ' ';
  if (axis.range) {
    const ValueRange& range = *axis.range;
    return text + fmt::format("{} to {}", range.low, range.high) +
           (range.logarithmic ? " (log)" : "");
  }
  for (std::size_t i = 0; i < axis.values.size(); ++i) {
    if (i > 0) text += i + 1 == axis.values.size() ? " or " : ", ";
    text += axis.values[i];
  }
  return text;
}

std::optional<std::uint64_t> combinations(std::span<const Axis> axes) {
  std::uint64_t all = 1;
  for (const Axis& axis : axes) {
    if (axis.range || axis.values.size() > kMost / all) return std::nullopt;
    all *= axis.values.size();
  }
  return all;
}

std::vector<Combination> trials(std::span<const Axis> axes, std::optional<std::uint64_t> number,
                                std::uint64_t seed) {
  if (axes.empty()) throw std::invalid_argument("search: expected something to try, found nothing");
  const auto all = combinations(axes);
  if (!all) {
    if (!number) throw std::invalid_argument("search: expected a number of trials, found none");
    return drawn(axes, *number, seed);
  }
  std::vector<Combination> tried;
  if (!number) {
    for (std::uint64_t i = 0; i < *all; ++i) tried.push_back(numbered(axes, i));
    return tried;
  }
  const Permutation order(*all, seed, kSearchStream);
  for (std::uint64_t i = 0; i < std::min(*number, *all); ++i) {
    tried.push_back(numbered(axes, order(i)));
  }
  return tried;
}

}  // namespace millrace
