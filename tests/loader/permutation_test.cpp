#include "loader/permutation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <numeric>
#include <set>
#include <stdexcept>
#include <vector>

namespace millrace {
namespace {

// All draws are seeded, so a test below either always passes or always fails. The limits would be
// passed by all but one in a million sets of truly random permutations.
constexpr double kSigmas = 5.0;

std::vector<std::uint64_t> values_of(const Permutation& permutation) {
  std::vector<std::uint64_t> values(permutation.size());
  permutation.range(0, values);
  return values;
}

// (chi-square - its mean) / its standard deviation, with all cells equally likely.
double chi_square_sigmas(const std::vector<std::uint64_t>& cells, double degrees) {
  const auto total =
      static_cast<double>(std::accumulate(cells.begin(), cells.end(), std::uint64_t{0}));
  const double expected = total / static_cast<double>(cells.size());
  double sum = 0.0;
  for (const auto cell : cells) sum += std::pow(static_cast<double>(cell) - expected, 2) / expected;
  return (sum - degrees) / std::sqrt(2.0 * degrees);
}

void expect_bijection(std::uint64_t size, std::uint64_t seed, std::uint64_t stream) {
  const auto values = values_of(Permutation(size, seed, stream));
  std::vector<bool> seen(size);
  for (const auto value : values) {
    ASSERT_LT(value, size) << "size " << size;
    ASSERT_FALSE(seen[value]) << "size " << size << ": " << value << " twice";
    seen[value] = true;
  }
}

TEST(Permutation, IsABijectionForEverySmallSize) {
  for (std::uint64_t size = 0; size <= 1500; ++size) {
    for (std::uint64_t seed = 0; seed < 3; ++seed) expect_bijection(size, seed, size + seed);
  }
}

TEST(Permutation, IsABijectionForLargeSizes) {
  for (const std::uint64_t size :
       {std::uint64_t{60'000}, (std::uint64_t{1} << 20U) - 1, std::uint64_t{1} << 20U,
        (std::uint64_t{1} << 20U) + 1, (std::uint64_t{1} << 20U) + 7}) {
    expect_bijection(size, 42, 7);
  }
}

TEST(Permutation, IsInjectiveAndInRangeForHugeSizes) {
  for (const std::uint64_t size :
       {(std::uint64_t{1} << 32U) + 1, (std::uint64_t{1} << 40U) + 12'345,
        (std::uint64_t{1} << 55U) - 1, Feistel::kMaxSize}) {
    const Permutation permutation(size, 1, 2);
    std::vector<std::uint64_t> values(200'000);
    const std::size_t half = values.size() / 2;
    permutation.range(0, std::span(values).first(half));
    permutation.range(size - half, std::span(values).last(half));
    double mean = 0.0;
    for (const auto value : values) {
      ASSERT_LT(value, size);
      mean += static_cast<double>(value) / static_cast<double>(size);
    }
    mean /= static_cast<double>(values.size());
    EXPECT_NEAR(mean, 0.5, kSigmas / std::sqrt(12.0 * static_cast<double>(values.size())));
    EXPECT_EQ(std::set<std::uint64_t>(values.begin(), values.end()).size(), values.size());
  }
}

TEST(Permutation, RefusesMoreThanItCanHold) {
  EXPECT_THROW(Permutation(Feistel::kMaxSize + 1, 0, 0), std::invalid_argument);
}

TEST(Permutation, WalksTheSameInEveryWay) {
  for (const std::uint64_t size :
       {std::uint64_t{200}, std::uint64_t{257}, std::uint64_t{300}, std::uint64_t{60'000}}) {
    const Permutation permutation(size, 3, 4);
    for (std::uint64_t first = 0; first < 20; ++first) {
      for (std::size_t count = 0; count < 50; ++count) {
        std::vector<std::uint64_t> ranged(count);
        std::vector<std::uint64_t> applied(count);
        std::iota(applied.begin(), applied.end(), first);
        permutation.range(first, ranged);
        permutation.apply(applied);
        ASSERT_EQ(ranged, applied);
        for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(ranged[i], permutation(first + i));
      }
    }
  }
}

// A checkpoint holds a seed and a position: these numbers must not change between versions.
TEST(Permutation, ValuesAreFixedForever) {
  const auto head = [](std::uint64_t size) {
    const Permutation permutation(size, 42, 1);
    std::vector<std::uint64_t> values(5);
    permutation.range(0, values);
    return values;
  };
  EXPECT_EQ(head(10), (std::vector<std::uint64_t>{5, 8, 9, 6, 3}));
  EXPECT_EQ(head(60'000), (std::vector<std::uint64_t>{10'699, 51'645, 35'518, 53'958, 3'174}));
  EXPECT_EQ(head((std::uint64_t{1} << 40U) + 1),
            (std::vector<std::uint64_t>{429'120'720'903, 500'221'018'497, 57'127'366'749,
                                        1'054'801'437'069, 1'046'919'767'670}));
}

TEST(Permutation, All24OrdersOfFourAreEquallyLikely) {
  std::map<std::vector<std::uint64_t>, std::uint64_t> counts;
  for (std::uint64_t stream = 0; stream < 48'000; ++stream)
    ++counts[values_of(Permutation(4, 9, stream))];
  ASSERT_EQ(counts.size(), 24U);
  std::vector<std::uint64_t> cells;
  for (const auto& [order, count] : counts) cells.push_back(count);
  EXPECT_LT(std::abs(chi_square_sigmas(cells, 23)), kSigmas);
}

// Over streams: every index goes everywhere equally often. The smallest Feistel network is the
// weakest.
TEST(Permutation, ImagesAreUniformOverStreams) {
  constexpr std::uint64_t kSize = 257;
  std::vector<std::uint64_t> cells(kSize * kSize);
  for (std::uint64_t stream = 0; stream < 20'000; ++stream) {
    const auto values = values_of(Permutation(kSize, 5, stream));
    for (std::uint64_t i = 0; i < kSize; ++i) ++cells[i * kSize + values[i]];
  }
  EXPECT_LT(std::abs(chi_square_sigmas(cells, 256.0 * 256.0)), kSigmas);
}

// Over streams: so does every pair, of neighbours and of indices that share a half of the network.
TEST(Permutation, PairsOfImagesAreUniformOverStreams) {
  for (const std::uint64_t size : {std::uint64_t{257}, std::uint64_t{272}, std::uint64_t{300}}) {
    for (const std::uint64_t distance : {1U, 2U, 16U, 128U}) {
      std::vector<std::uint64_t> cells(size);
      for (std::uint64_t stream = 0; stream < 30'000; ++stream) {
        const auto values = values_of(Permutation(size, 6, stream));
        for (std::uint64_t i = 0; i + distance < size; i += 2 * distance) {
          ++cells[(values[i] + size - values[i + distance]) % size];
        }
      }
      ASSERT_EQ(cells[0], 0U);  // never equal
      cells.erase(cells.begin());
      EXPECT_LT(std::abs(chi_square_sigmas(cells, static_cast<double>(size - 2))), kSigmas)
          << "size " << size << ", distance " << distance;
    }
  }
}

// The joint image of four neighbours, coarsely. Drawing without replacement makes cells differ from
// 1/256 by far less than the noise.
TEST(Permutation, QuadruplesOfImagesAreUniformOverStreams) {
  for (const std::uint64_t size : {std::uint64_t{1024}, std::uint64_t{60'000}}) {
    constexpr std::uint64_t kStreams = 100'000;
    std::vector<std::uint64_t> cells(256);
    for (std::uint64_t stream = 0; stream < kStreams; ++stream) {
      std::array<std::uint64_t, 4> values{};
      Permutation(size, 8, stream).range(stream % 16, values);
      std::uint64_t cell = 0;
      for (const auto value : values) cell = cell * 4 + value % 4;
      ++cells[cell];
    }
    // Drawing without replacement: cells differ from 1/256 by less than 1/size, far below the noise
    // here.
    if (size == 260) continue;
    EXPECT_LT(std::abs(chi_square_sigmas(cells, 255)), kSigmas) << "size " << size;
  }
}

// The number of fixed points of a random permutation is Poisson(1), and so is that of p(i) == i + d
// mod n.
TEST(Permutation, FixedPointsAndShiftsArePoisson) {
  for (const std::uint64_t size :
       {std::uint64_t{256}, std::uint64_t{257}, std::uint64_t{1000}, std::uint64_t{5000}}) {
    for (const std::uint64_t shift : {0U, 1U, 64U}) {
      constexpr std::uint64_t kStreams = 4'000;
      std::array<std::uint64_t, 5> counts{};  // 0, 1, 2, 3, more
      for (std::uint64_t stream = 0; stream < kStreams; ++stream) {
        const auto values = values_of(Permutation(size, 10, stream));
        std::size_t points = 0;
        for (std::uint64_t i = 0; i < size; ++i) points += values[i] == (i + shift) % size ? 1 : 0;
        ++counts[std::min<std::size_t>(points, 4)];
      }
      const double e = std::exp(-1.0);
      const std::array<double, 5> expected{e, e, e / 2, e / 6, 1 - e * (1 + 1 + 0.5 + 1.0 / 6)};
      double sum = 0.0;
      for (std::size_t k = 0; k < counts.size(); ++k) {
        const double mean = expected[k] * kStreams;
        sum += std::pow(static_cast<double>(counts[k]) - mean, 2) / mean;
      }
      EXPECT_LT(sum, 33.4) << "size " << size << ", shift "
                           << shift;  // chi-square, 4 degrees, p = 1e-6
    }
  }
}

// Within one permutation: where samples of each region go.
TEST(Permutation, EveryRegionIsSpreadOverAllRegions) {
  constexpr std::uint64_t kSize = 60'000;
  constexpr std::uint64_t kRegions = 50;
  for (std::uint64_t stream = 0; stream < 20; ++stream) {
    const auto values = values_of(Permutation(kSize, 11, stream));
    std::vector<std::uint64_t> cells(kRegions * kRegions);
    for (std::uint64_t i = 0; i < kSize; ++i) {
      ++cells[i * kRegions / kSize * kRegions + values[i] * kRegions / kSize];
    }
    EXPECT_LT(std::abs(chi_square_sigmas(cells, (kRegions - 1.0) * (kRegions - 1.0))), kSigmas);
  }
}

TEST(Permutation, MovesEachIndexByAThirdOfTheSizeOnAverage) {
  constexpr std::uint64_t kSize = 60'000;
  for (std::uint64_t stream = 0; stream < 20; ++stream) {
    const auto values = values_of(Permutation(kSize, 12, stream));
    double sum = 0.0;
    for (std::uint64_t i = 0; i < kSize; ++i) {
      sum += std::abs(static_cast<double>(values[i]) - static_cast<double>(i)) / kSize;
    }
    // |u - v| of two uniform numbers has variance 1/18.
    EXPECT_NEAR(sum / kSize, 1.0 / 3, kSigmas / std::sqrt(18.0 * kSize));
  }
}

TEST(Permutation, ImagesOfNeighboursAreUncorrelated) {
  constexpr std::uint64_t kSize = 60'000;
  for (std::uint64_t stream = 0; stream < 5; ++stream) {
    const auto values = values_of(Permutation(kSize, 13, stream));
    for (std::uint64_t lag = 1; lag <= 4096; lag = lag < 16 ? lag + 1 : lag * 2) {
      double sum = 0.0;
      for (std::uint64_t i = 0; i < kSize; ++i) {
        const double a = static_cast<double>(values[i]) / kSize - 0.5;
        const double b = static_cast<double>(values[(i + lag) % kSize]) / kSize - 0.5;
        sum += a * b * 12.0;
      }
      EXPECT_LT(std::abs(sum / kSize), kSigmas / std::sqrt(double{kSize})) << "lag " << lag;
    }
  }
}

// Neighbours that stay neighbours: Poisson(2) in each permutation.
TEST(Permutation, NeighboursRarelyStayNeighbours) {
  constexpr std::uint64_t kSize = 5'000;
  constexpr std::uint64_t kStreams = 2'000;
  std::uint64_t together = 0;
  for (std::uint64_t stream = 0; stream < kStreams; ++stream) {
    const auto values = values_of(Permutation(kSize, 14, stream));
    for (std::uint64_t i = 0; i + 1 < kSize; ++i) {
      const auto low = std::min(values[i], values[i + 1]);
      together += std::max(values[i], values[i + 1]) - low == 1 ? 1 : 0;
    }
  }
  EXPECT_NEAR(static_cast<double>(together), 2.0 * kStreams, kSigmas * std::sqrt(2.0 * kStreams));
}

// Two permutations agree in Poisson(1) places, and the joint regions of their images are uniform.
void expect_independent(const Permutation& a, const Permutation& b) {
  const std::uint64_t size = a.size();
  const auto first = values_of(a);
  const auto second = values_of(b);
  constexpr std::uint64_t kRegions = 30;
  std::vector<std::uint64_t> cells(kRegions * kRegions);
  std::uint64_t equal = 0;
  for (std::uint64_t i = 0; i < size; ++i) {
    equal += first[i] == second[i] ? 1 : 0;
    ++cells[first[i] * kRegions / size * kRegions + second[i] * kRegions / size];
  }
  EXPECT_LT(equal, 12U);
  EXPECT_LT(std::abs(chi_square_sigmas(cells, (kRegions - 1.0) * (kRegions - 1.0))), kSigmas);
}

TEST(Permutation, EpochsSeedsAndTheSplitAreIndependent) {
  constexpr std::uint64_t kSize = 60'000;
  for (std::uint64_t epoch = 0; epoch < 20; ++epoch) {
    expect_independent(Permutation(kSize, 15, epoch), Permutation(kSize, 15, epoch + 1));
    expect_independent(Permutation(kSize, epoch, 3), Permutation(kSize, epoch + 1, 3));
    expect_independent(Permutation(kSize, 15, epoch), Permutation(kSize, 15, kSplitStream));
    expect_independent(Permutation(kSize, epoch, epoch + 1), Permutation(kSize, epoch + 1, epoch));
  }
}

TEST(Permutation, AllBitsOfSeedAndStreamCount) {
  std::set<std::vector<std::uint64_t>> seen;
  for (unsigned bit = 0; bit < 64; ++bit) {
    seen.insert(values_of(Permutation(1000, std::uint64_t{1} << bit, 0)));
    seen.insert(values_of(Permutation(1000, 0, std::uint64_t{1} << bit)));
  }
  EXPECT_EQ(seen.size(), 128U);
}

TEST(Permutation, HasAnInverse) {
  for (const std::uint64_t size : {1U, 2U, 200U, 256U, 257U, 1000U, 60'000U}) {
    const Permutation permutation(size, 9, 4);
    for (std::uint64_t i = 0; i < size; ++i) ASSERT_EQ(permutation.inverse(permutation(i)), i);
    std::vector<std::uint64_t> images(size);
    permutation.range(0, images);
    permutation.invert(images);
    for (std::uint64_t i = 0; i < size; ++i) ASSERT_EQ(images[i], i);
  }
  const Permutation huge(std::uint64_t{1} << 61U, 9, 4);
  for (std::uint64_t i = 0; i < huge.size(); i += huge.size() / 1009) {
    ASSERT_EQ(huge.inverse(huge(i)), i);
  }
}

}  // namespace
}  // namespace millrace
