#include "loader/elastic.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "formats/philox.h"
#include "tests/support/instruction_sets.h"

namespace millrace {
namespace {

// As elastic.h defines it, in 2^-16 pixels.
std::int32_t moved(const Displacement& by, const std::int16_t* sums, std::size_t y, std::size_t x) {
  const Displacement::Taps& taps = by.taps[y];
  std::int32_t sum = 0;
  for (std::size_t t = 0; t < Displacement::kTaps; ++t) {
    const int value = sums[(taps.first + t) * by.stride + x];
    sum += (value * taps.weights[t] + (1 << 14)) >> 15;
  }
  return (sum * by.factor + (1 << (by.shift - 1))) >> by.shift;
}

struct Field {
  std::vector<double> x, y;  // pixels
};

Field field_of(const ElasticField& elastic, std::uint64_t seed, std::uint64_t epoch,
               std::uint64_t id, std::size_t height, std::size_t width) {
  std::vector<std::int16_t> scratch(elastic.scratch());
  const Displacement by = elastic.draw(seed, epoch, id, scratch.data());
  Field field;
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t x = 0; x < width; ++x) {
      field.x.push_back(moved(by, by.x_sums, y, x) / 65536.0);
      field.y.push_back(moved(by, by.y_sums, y, x) / 65536.0);
    }
  }
  return field;
}

double theory_rms(double alpha, double sigma) {
  return alpha / (2.0 * sigma * std::sqrt(3.0 * std::numbers::pi));
}

TEST(ElasticField, IsAFunctionOfSeedEpochAndSample) {
  const ElasticField elastic(34.0F, 4.0F, 28, 28);
  const auto of = [&](std::uint64_t seed, std::uint64_t epoch, std::uint64_t id) {
    return field_of(elastic, seed, epoch, id, 28, 28).x;
  };
  EXPECT_EQ(of(1, 2, 3), of(1, 2, 3));
  EXPECT_NE(of(1, 2, 3), of(2, 2, 3));
  EXPECT_NE(of(1, 2, 3), of(1, 3, 3));
  EXPECT_NE(of(1, 2, 3), of(1, 2, 4));
  EXPECT_NE(of(1, 2, 3), of(1, 2, 3 + (std::uint64_t{1} << 32U)));
  EXPECT_NE(of(1, 2, 3), of(1 + (std::uint64_t{1} << 32U), 2, 3));
}

TEST(ElasticField, HasNoMeanAndSimardsSizeAtEveryPixel) {
  constexpr std::size_t kSide = 28;
  constexpr int kSamples = 4000;
  for (const auto& [alpha, sigma] : {std::pair{34.0, 4.0}, {8.0, 1.5}, {60.0, 10.0}}) {
    const ElasticField elastic(static_cast<float>(alpha), static_cast<float>(sigma), kSide, kSide);
    std::vector<double> sums(kSide * kSide);
    std::vector<double> squares(kSide * kSide);
    double across = 0.0;
    for (int i = 0; i < kSamples; ++i) {
      const Field field = field_of(elastic, 5, 1, static_cast<std::uint64_t>(i), kSide, kSide);
      for (std::size_t p = 0; p < sums.size(); ++p) {
        sums[p] += field.x[p];
        squares[p] += field.x[p] * field.x[p];
        across += field.x[p] * field.y[p];
      }
    }
    const double rms = theory_rms(alpha, sigma);
    for (std::size_t p = 0; p < sums.size(); ++p) {  // five standard errors
      EXPECT_NEAR(sums[p] / kSamples, 0.0, 5.0 * rms / std::sqrt(kSamples));
      EXPECT_NEAR(std::sqrt(squares[p] / kSamples), rms, rms * 5.0 / std::sqrt(2.0 * kSamples));
    }
    // Directions know nothing of each other. A field has some (28 / sigma)² / 12 values of its own.
    EXPECT_NEAR(across / kSamples / (kSide * kSide), 0.0, 0.1 * rms * rms);
  }
}

TEST(ElasticField, IsAsSmoothAsItsGaussian) {
  constexpr std::size_t kSide = 40;
  constexpr int kSamples = 3000;
  for (const double sigma : {2.0, 4.0, 7.0}) {
    const ElasticField elastic(20.0F, static_cast<float>(sigma), kSide, kSide);
    constexpr std::array<std::size_t, 5> kLags{1, 3, 5, 8, 14};
    std::array<double, 5> along{};
    std::array<double, 5> down{};
    for (int i = 0; i < kSamples; ++i) {
      const Field field = field_of(elastic, 9, 0, static_cast<std::uint64_t>(i), kSide, kSide);
      const std::size_t row = static_cast<std::size_t>(i) % 20;
      const std::size_t column = static_cast<std::size_t>(i) / 20 % 20;
      for (std::size_t l = 0; l < kLags.size(); ++l) {
        const double here = field.y[row * kSide + column];
        along[l] += here * field.y[row * kSide + column + kLags[l]];
        down[l] += here * field.y[(row + kLags[l]) * kSide + column];
      }
    }
    const double variance = std::pow(theory_rms(20.0, sigma), 2.0);
    for (std::size_t l = 0; l < kLags.size(); ++l) {
      const auto lag = static_cast<double>(kLags[l]);
      const double expected = std::exp(-lag * lag / (4.0 * sigma * sigma));
      EXPECT_NEAR(along[l] / kSamples / variance, expected, 0.1) << sigma << ", " << lag;
      EXPECT_NEAR(down[l] / kSamples / variance, expected, 0.1) << sigma << ", " << lag;
    }
  }
}

// Which instruction set draws decides nothing: neither the field nor what warp() makes of it.
TEST(ElasticField, IsTheSameBitsOnEveryInstructionSet) {
  std::vector<std::vector<double>> fields;
  testing::on_each_instruction_set([&](const std::string& name) {
    SCOPED_TRACE(name);
    std::vector<double> all;
    for (const std::size_t width : {1U, 5U, 28U, 33U, 100U}) {
      const ElasticField elastic(34.0F, 4.0F, 19, width);
      const Field field = field_of(elastic, 7, 3, 5'000'000'001ULL, 19, width);
      all.insert(all.end(), field.x.begin(), field.x.end());
      all.insert(all.end(), field.y.begin(), field.y.end());
    }
    fields.push_back(all);
    EXPECT_EQ(fields.back(), fields.front());
  });
  EXPECT_FALSE(fields.empty());
}

// The first draws are the halves of Philox's words, made odd.
TEST(ElasticField, DrawsFromPhilox) {
  const ElasticField elastic(1.0F, 4.0F, 28, 28);
  std::vector<std::int16_t> scratch(elastic.scratch());
  elastic.draw(0x1234567890ULL, 3, 0xABCDEF0123ULL, scratch.data());
  for (std::uint32_t block = 0; block < 8; ++block) {
    const auto words = Philox::generate({0xCDEF0123U, 0x656c0000U + block, 0xABU, 3},
                                        Philox::key_of(0x1234567890ULL));
    EXPECT_EQ(scratch[2 * block], static_cast<std::int16_t>(words[0] | 1U));
    EXPECT_EQ(scratch[2 * block + 1], static_cast<std::int16_t>(words[0] >> 16U | 1U));
  }
}

TEST(ElasticField, StaysInItsWordsAtTheLimits) {
  for (const float sigma : {ElasticField::kLeastSigma, 3.3F, ElasticField::kMostSigma}) {
    for (const auto& [height, width] :
         {std::pair<std::size_t, std::size_t>{1, 1}, {1024, 3}, {3, 1024}, {200, 170}}) {
      const ElasticField elastic(ElasticField::kMostAlphaBySigma * sigma, sigma, height, width);
      std::vector<std::int16_t> scratch(elastic.scratch());
      Displacement by = elastic.draw(1, 1, 1, scratch.data());
      // The largest draws that there are would move by this much.
      std::int64_t most = 0;
      for (std::size_t y = 0; y < height; ++y) {
        std::int64_t weights = 0;
        for (const std::int16_t weight : by.taps[y].weights) weights += weight;
        EXPECT_LT(weights, 32768);
        EXPECT_GE(by.taps[y].weights.front(), 0);
        most = std::max(most, (weights * by.factor) >> by.shift);
      }
      EXPECT_LT(by.factor, 1 << 15);
      EXPECT_LE(most, std::int64_t{850} << 16U);
    }
  }
}

}  // namespace
}  // namespace millrace
