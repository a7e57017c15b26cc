#pragma once

#include <cstdint>

namespace millrace {

/// One process of a distributed run. Each takes a share of every batch, so a step of all of them
/// together is the step of one.
struct Rank {
  std::uint32_t number = 0;  ///< below `of`
  std::uint32_t of = 1;      ///< how many there are

  bool operator==(const Rank&) const = default;
};

/// Which positions of an epoch are a rank's: of each batch, consecutive ones. Of n samples each of
/// R ranks takes n / R, and the first n % R one more; so the ranks' shares, one after the other,
/// are the batch, and no rank's share of an epoch's last, smaller batch exceeds its share of the
/// others.
class RankShare {
 public:
  /// Positions one after the other.
  struct Run {
    std::uint64_t first = 0;
    std::uint64_t count = 0;

    bool operator==(const Run&) const = default;
  };

  /// Throws std::invalid_argument for a zero, a rank that there is not, and batches of which a rank
  /// would have no sample: it would take fewer steps than the others, which wait for it.
  RankShare(Rank rank, std::uint32_t batch, std::uint64_t samples);

  /// Its samples of each batch but an epoch's last, of which it may have fewer.
  std::uint32_t batch() const noexcept { return batch_share_; }
  /// Its samples among the first `positions`, at most samples, of an epoch.
  std::uint64_t among(std::uint64_t positions) const noexcept;
  /// Of its samples of an epoch those from number `index`, below among(samples), as far as they
  /// stand together: where they stand in the epoch.
  Run run(std::uint64_t index) const noexcept;

 private:
  std::uint64_t start(std::uint64_t batch) const noexcept;
  std::uint64_t share(std::uint64_t batch) const noexcept;

  Rank rank_;
  std::uint32_t batch_;
  std::uint64_t samples_;
  std::uint32_t batch_share_ = 0;
};

}  // namespace millrace
