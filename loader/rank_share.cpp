#include "loader/rank_share.h"

#include <algorithm>
#include <string>

#include "loader/require.h"

namespace millrace {
namespace {

std::string samples_for(std::uint64_t samples, std::uint32_t ranks) {
  return std::to_string(samples) + (samples == 1 ? " sample" : " samples") + " for " +
         std::to_string(ranks) + " ranks: each needs at least one";
}

}  // namespace

RankShare::RankShare(Rank rank, std::uint32_t batch, std::uint64_t samples)
    : rank_(rank), batch_(batch), samples_(samples) {
  require(samples > 0, "nothing to load: the subset is empty");
  require(batch > 0, "batch size 0: a batch holds at least one sample");
  require(rank.of > 0, "0 ranks: there is at least one");
  require(rank.number < rank.of, "rank " + std::to_string(rank.number) + " of " +
                                     std::to_string(rank.of) + ": ranks are numbered from 0");
  require(batch >= rank.of, "batches of " + samples_for(batch, rank.of));
  const std::uint64_t last = (samples - 1) % batch + 1;
  require(last >= rank.of, "an epoch's last batch has " + samples_for(last, rank.of));
  batch_share_ = static_cast<std::uint32_t>(share(batch));
}

// Where its samples of a batch of so many begin.
std::uint64_t RankShare::start(std::uint64_t batch) const noexcept {
  return batch / rank_.of * rank_.number + std::min<std::uint64_t>(batch % rank_.of, rank_.number);
}

std::uint64_t RankShare::share(std::uint64_t batch) const noexcept {
  return batch / rank_.of + (rank_.number < batch % rank_.of ? 1 : 0);
}

std::uint64_t RankShare::among(std::uint64_t positions) const noexcept {
  const std::uint64_t whole = positions / batch_;
  const std::uint64_t rest = positions % batch_;
  const std::uint64_t size = std::min<std::uint64_t>(batch_, samples_ - (positions - rest));
  const std::uint64_t first = start(size);
  return whole * batch_share_ + std::clamp(rest, first, first + share(size)) - first;
}

RankShare::Run RankShare::run(std::uint64_t index) const noexcept {
  if (rank_.of == 1) return {index, samples_ - index};
  const std::uint64_t first = index / batch_share_ * batch_;
  const std::uint64_t within = index % batch_share_;
  const std::uint64_t size = std::min<std::uint64_t>(batch_, samples_ - first);
  return {first + start(size) + within, share(size) - within};
}

}  // namespace millrace
