#include "formats/targets.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include "formats/convert.h"
#include "formats/dataset.h"

namespace millrace {

std::optional<BadTarget> read_targets(DType dtype, std::span<const std::byte> numbers,
                                      std::span<std::int32_t> words) {
  constexpr std::size_t kAtOnce = 1024;
  std::array<float, kAtOnce> room{};
  const auto width = size_of(dtype);
  for (std::size_t first = 0; first < words.size(); first += kAtOnce) {
    const auto some = std::span(room).first(std::min(kAtOnce, words.size() - first));
    to_float32(dtype, numbers.subspan(first * width, some.size() * width), some);
    for (std::size_t i = 0; i < some.size(); ++i) {
      words[first + i] = target_word(some[i]);
      if (std::isfinite(some[i])) continue;
      auto found = fmt::format("{}", some[i]);
      if (dtype == DType::kFloat64) {
        double wide = 0;
        std::memcpy(&wide, &numbers[(first + i) * width], width);
        found = fmt::format("{}", wide);
      }
      return BadTarget{.at = first + i, .found = std::move(found)};
    }
  }
  return std::nullopt;
}

std::optional<BadTarget> find_no_label(std::span<const std::int32_t> words) {
  const auto other = std::ranges::find_if(
      words, [](std::int32_t word) { return target_of(word) != 0.0F && target_of(word) != 1.0F; });
  if (other == words.end()) return std::nullopt;
  return BadTarget{static_cast<std::size_t>(other - words.begin()),
                   fmt::format("{}", target_of(*other))};
}

std::string expected_target(std::size_t at, std::uint32_t targets) {
  const auto which = targets == 1 ? "the target" : fmt::format("target {}", at % targets);
  return fmt::format("a finite number (float32) as {} of sample {}", which, at / targets);
}

}  // namespace millrace
