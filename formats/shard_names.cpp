#include "formats/shard_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace millrace {
namespace {

constexpr std::size_t kDigits = 5;
constexpr std::string_view kOf = "-of-";
constexpr std::string_view kEnd = ".zst";
constexpr std::size_t kTail = 1 + kDigits + kOf.size() + kDigits + kEnd.size();

std::optional<std::uint32_t> number(std::string_view digits) {
  std::uint32_t value = 0;
  const auto* end = digits.data() + digits.size();
  const auto [stopped, error] = std::from_chars(digits.data(), end, value);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return value;
}

}  // namespace

std::string shard_file_name(std::string_view base, std::uint32_t index, std::uint32_t count) {
  return fmt::format("{}-{:05}{}{:05}{}", base, index, kOf, count, kEnd);
}

std::optional<ShardName> parse_shard_name(std::string_view file_name) {
  if (file_name.size() <= kTail) return std::nullopt;
  const auto base = file_name.substr(0, file_name.size() - kTail);
  const auto tail = file_name.substr(base.size());
  const auto index = number(tail.substr(1, kDigits));
  const auto count = number(tail.substr(1 + kDigits + kOf.size(), kDigits));
  auto idx = parse_idx_name(base);
  if (!idx || !index || !count || *index >= *count || idx->preference != 0) return std::nullopt;
  ShardName name{
      .idx = std::move(*idx), .base = std::string(base), .index = *index, .count = *count};
  if (shard_file_name(base, *index, *count) != file_name) return std::nullopt;
  return name;
}

}  // namespace millrace
