#include "loader/stand_in.h"

#include "formats/philox.h"

namespace millrace {
namespace {

constexpr std::uint32_t kStream = 0x73756200;  // and one for each further draw
constexpr std::uint32_t kDraws = 64;

// In [0, count): the high part of a product, as in Lemire, "Fast random integer generation in an
// interval" (2019), without its rejection, which matters for counts near 2^64 alone.
std::uint64_t scaled(std::uint64_t random, std::uint64_t count) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((Wide{random} * count) >> 64U);
}

}  // namespace

std::optional<std::uint64_t> StandIn::find(
    const Bad& bad, std::uint64_t count,
    const std::function<bool(std::uint64_t place)>& good) const {
  std::uint64_t place = bad.place;
  if (on_bad_ == OnBad::kSubstitute) {
    for (std::uint32_t draw = 0; draw < kDraws; ++draw) {
      const auto words = Philox::generate(
          {static_cast<std::uint32_t>(bad.position), kStream + draw,
           static_cast<std::uint32_t>(bad.position >> 32U), static_cast<std::uint32_t>(bad.epoch)},
          Philox::key_of(seed_));
      place = scaled(std::uint64_t{words[1]} << 32U | words[0], count);
      if (good(place)) return place;
    }
  }
  const std::uint64_t most = budget_ < count ? budget_ + 1 : count;
  for (std::uint64_t step = 0; step < most; ++step) {
    place = place + 1 < count ? place + 1 : 0;
    if (good(place)) return place;
  }
  return std::nullopt;
}

}  // namespace millrace
