#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/split_names.h"

namespace millrace {

/// Values of options. Each throws UsageError with "expected …, found …", without the option's name.

/// A whole number in decimal from `least` to `most`.
std::uint64_t parse_whole(std::string_view text, std::uint64_t least, std::uint64_t most);

/// The same, or the word "auto", which is 0.
std::uint32_t parse_whole_or_auto(std::string_view text, std::uint32_t most);

/// A finite float of at least 0.
float parse_rate(std::string_view text);

/// The same in double precision, to which 0.1 is another number.
double parse_double_rate(std::string_view text);

/// A finite float of at least 0 and below 1.
float parse_fraction(std::string_view text);

/// Widths from 1 to 2^20 with commas between, at most 1000; "none" and the empty text are no
/// widths.
std::vector<std::uint32_t> parse_widths(std::string_view text);

/// Finite numbers of at least 0 with commas between; nullopt where the text is anything else.
std::optional<std::vector<float>> rates_in(std::string_view text);

/// `text`, unless it is empty.
std::string parse_path(const std::string& text);

/// One of "on", "off", "true", "false".
bool parse_switch(std::string_view text);
/// Any word that split_called() knows.
DataSplit parse_split(std::string_view text);

/// `text` on one line, cut where it is long, in quotes unless it looks like a number: for messages.
std::string shown(std::string_view text);

}  // namespace millrace
