#include "loader/standardizer.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

#include "compute/stage.h"
#include "formats/convert.h"
#include "formats/error.h"
#include "loader/parallel_blocks.h"
#include "loader/readable.h"

namespace millrace {
namespace {

// Values of a block, which is gone through twice in the second-level cache. Together with the
// limits it decides the order of sums, and so their last bits.
constexpr std::uint64_t kBlockValues = std::uint64_t{1} << 17U;
constexpr std::uint64_t kFewestRows = 16;
constexpr std::uint64_t kMostRows = 4096;
constexpr std::uint64_t kRound = 32;  // blocks whose moments are in memory at once

// Of some samples: how many, and by feature their mean and the sum of squares about it.
struct Moments {
  std::uint64_t count = 0;
  std::vector<double> mean;
  std::vector<double> squares;
};

// What can be read of those samples in [first, first + count) that are of the subset, [n,
// features].
std::vector<float> rows_of(const Dataset& data, const Subset& subset, std::uint64_t first,
                           std::uint64_t count, bool tolerant) {
  std::vector<std::uint64_t> ids;
  for (std::uint64_t id = first; id < first + count; ++id) {
    if (subset.contains(id)) ids.push_back(id);
  }
  const auto bytes = static_cast<std::size_t>(data.sample_bytes());
  std::vector<std::byte> samples(ids.size() * bytes);
  std::vector<std::int32_t> labels(ids.size() * data.label_words());
  std::vector<BadPlace> bad;
  if (tolerant) {
    bad = read_readable(data, ids, samples, labels);
  } else {
    data.read(ids, samples, labels);
  }
  // From the last one, so that places stay what they are.
  for (std::size_t i = bad.size(); i-- > 0;) {
    const auto at = samples.begin() + static_cast<std::ptrdiff_t>(bad[i].place * bytes);
    samples.erase(at, at + static_cast<std::ptrdiff_t>(bytes));
  }
  std::vector<float> rows(samples.size() / size_of(data.dtype()));
  to_float32(data.dtype(), samples, rows);
  return rows;
}

Moments moments_of(std::span<const float> rows, std::size_t features) {
  Moments moments;
  moments.count = rows.size() / features;
  moments.mean.assign(features, 0.0);
  moments.squares.assign(features, 0.0);
  if (rows.empty()) return moments;
  for (std::size_t at = 0; at < rows.size(); at += features) {
    for (std::size_t f = 0; f < features; ++f) moments.mean[f] += double{rows[at + f]};
  }
  // The sum of so few equal floats is exact, and so is their mean.
  for (double& mean : moments.mean) mean /= static_cast<double>(moments.count);
  for (std::size_t at = 0; at < rows.size(); at += features) {
    for (std::size_t f = 0; f < features; ++f) {
      const double off = double{rows[at + f]} - moments.mean[f];
      moments.squares[f] += off * off;
    }
  }
  return moments;
}

// Chan, Golub and LeVeque 1983.
void add(Moments& all, const Moments& more) {
  if (more.count == 0) return;
  const std::uint64_t count = all.count + more.count;
  const double share = static_cast<double>(more.count) / static_cast<double>(count);
  for (std::size_t f = 0; f < all.mean.size(); ++f) {
    const double off = more.mean[f] - all.mean[f];
    all.mean[f] += off * share;
    all.squares[f] += more.squares[f] + off * off * share * static_cast<double>(all.count);
  }
  all.count = count;
}

}  // namespace

void Standardizer::apply(std::span<float> rows) const noexcept {
  const std::size_t features = mean.size();
  for (std::size_t at = 0; at < rows.size(); at += features) {
    for (std::size_t f = 0; f < features; ++f) {
      rows[at + f] = (rows[at + f] - mean[f]) / deviation[f];
    }
  }
}

Standardizer fit_standardizer(const Dataset& data, const Subset& subset, bool tolerant) {
  const StageSpan span(Stage::kLoad);
  const auto features = static_cast<std::size_t>(data.shape().elements());
  const std::uint64_t block =
      std::clamp<std::uint64_t>(kBlockValues / features, kFewestRows, kMostRows);
  const std::uint64_t bound = subset.bound();
  Moments all{0, std::vector<double>(features), std::vector<double>(features)};
  for (std::uint64_t first = 0; first < bound; first += block * kRound) {
    const std::uint64_t count = std::min(bound - first, block * kRound);
    std::vector<Moments> round((count + block - 1) / block);
    for_each_block(count, block, 0, [&](std::uint64_t begin, std::uint64_t some) {
      round[begin / block] =
          moments_of(rows_of(data, subset, first + begin, some, tolerant), features);
    });
    for (const Moments& moments : round) add(all, moments);
  }
  if (all.count == 0) {
    throw DataError(data.name(), std::nullopt, "a sample that can be read", "none");
  }
  Standardizer standardizer;
  for (std::size_t f = 0; f < features; ++f) {
    const double deviation = std::sqrt(all.squares[f] / static_cast<double>(all.count));
    standardizer.mean.push_back(static_cast<float>(all.mean[f]));
    const auto rounded = static_cast<float>(deviation);  // of denormal values perhaps to 0
    standardizer.deviation.push_back(rounded == 0.0F ? 1.0F : rounded);
  }
  return standardizer;
}

}  // namespace millrace
