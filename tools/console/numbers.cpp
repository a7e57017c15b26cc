#include "tools/console/numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "tools/console/quote.h"
#include "tools/console/usage_error.h"

namespace millrace {
namespace {

constexpr std::uint32_t kWidest = 1U << 20U;
constexpr std::size_t kMostLayers = 1000;

[[noreturn]] void refuse(std::string_view expected, std::string_view found) {
  throw UsageError(fmt::format("expected {}, found {}", expected, shown(found)));
}

template <typename T>
std::optional<T> convert(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  T value{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::string range(std::uint64_t least, std::uint64_t most) {
  if (most == std::numeric_limits<std::uint64_t>::max() && least == 0) {
    return "a whole number below 2^64";
  }
  return fmt::format("a whole number from {} to {}", least, most);
}

std::optional<std::uint64_t> whole(std::string_view text, std::uint64_t least, std::uint64_t most) {
  const auto value = convert<std::uint64_t>(text);
  return value && *value >= least && *value <= most ? value : std::nullopt;
}

template <typename T>
std::optional<T> rate(std::string_view text) {
  const auto value = convert<T>(text);
  if (!value || !std::isfinite(*value) || *value < 0) return std::nullopt;
  return *value + T{0};  // of -0, 0
}

// What `parse` makes of each part between commas; nullopt where it makes nothing of one.
template <typename Parse>
auto list_of(std::string_view text, const Parse& parse) {
  std::optional<std::vector<typename decltype(parse(text))::value_type>> list(std::in_place);
  while (true) {
    const std::size_t comma = text.find(',');
    const auto value = parse(text.substr(0, comma));
    if (!value) return decltype(list)();
    list->push_back(*value);
    if (comma == std::string_view::npos) return list;
    text.remove_prefix(comma + 1);
  }
}

template <typename T>
T parse_rate_as(std::string_view text) {
  const auto value = rate<T>(text);
  if (!value) refuse("a finite number of at least 0", text);
  return *value;
}

}  // namespace

std::uint64_t parse_whole(std::string_view text, std::uint64_t least, std::uint64_t most) {
  const auto value = whole(text, least, most);
  if (!value) refuse(range(least, most), text);
  return *value;
}

std::uint32_t parse_whole_or_auto(std::string_view text, std::uint32_t most) {
  if (text == "auto") return 0;
  const auto value = whole(text, 1, most);
  if (!value) refuse("auto or " + range(1, most), text);
  return static_cast<std::uint32_t>(*value);
}

float parse_rate(std::string_view text) { return parse_rate_as<float>(text); }

double parse_double_rate(std::string_view text) { return parse_rate_as<double>(text); }

float parse_fraction(std::string_view text) {
  const auto value = rate<float>(text);
  if (!value || *value >= 1.0F) refuse("a number of at least 0 and below 1", text);
  return *value;
}

std::vector<std::uint32_t> parse_widths(std::string_view text) {
  if (text.empty() || text == "none") return {};
  const auto widths = list_of(text, [](std::string_view t) { return whole(t, 1, kWidest); });
  if (!widths || widths->size() > kMostLayers) {
    refuse(fmt::format("none, or at most {} widths from 1 to {} with commas between", kMostLayers,
                       kWidest),
           text);
  }
  return {widths->begin(), widths->end()};
}

std::optional<std::vector<float>> rates_in(std::string_view text) {
  return list_of(text, rate<float>);
}

std::string parse_path(const std::string& text) {
  if (text.empty()) refuse("a path", text);
  return text;
}

bool parse_switch(std::string_view text) {
  if (text == "on" || text == "true") return true;
  if (text == "off" || text == "false") return false;
  refuse("on or off", text);
}

DataSplit parse_split(std::string_view text) {
  const auto split = split_called(text);
  if (!split) refuse("train, validation or test", text);
  return *split;
}

std::string shown(std::string_view text) {
  constexpr std::size_t kMost = 60;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const bool number = std::ranges::any_of(text, is_digit) && std::ranges::all_of(text, [&](char c) {
                        return is_digit(c) || c == '.' || c == '-' || c == '+' || c == 'e';
                      });
  std::string all = one_line(text.substr(0, kMost));
  if (text.size() > kMost) all += "…";
  return number ? all : fmt::format("'{}'", all);
}

}  // namespace millrace
