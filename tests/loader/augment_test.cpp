#include "loader/augment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "formats/hash.h"
#include "tests/support/instruction_sets.h"

namespace millrace {
namespace {

constexpr AugmentSpec kAll{15.0F, 2.0F, 0.2F, 10.0F};
const SampleShape kShape{{28, 28}};

// Images with a bright square off the middle.
std::vector<std::byte> squares(std::size_t count) {
  std::vector<std::byte> samples(count * 784);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t y = 8; y < 20; ++y) {
      for (std::size_t x = 6; x < 16; ++x) samples[i * 784 + y * 28 + x] = std::byte{200};
    }
  }
  return samples;
}

std::string refusal(const AugmentSpec& spec, const SampleShape& shape = kShape,
                    DType dtype = DType::kUInt8) {
  try {
    const Augmenter augmenter(spec, shape, dtype, 1);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Augmenter, IsAFunctionOfSeedEpochAndSample) {
  const std::vector<std::uint64_t> ids{5, 900, 5'000'000'000ULL, 7};
  auto together = squares(4);
  const Augmenter augmenter(kAll, kShape, DType::kUInt8, 42);
  augmenter.apply(3, ids, together);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    auto alone = squares(1);
    augmenter.apply(3, std::span(ids).subspan(i, 1), alone);
    EXPECT_TRUE(std::equal(alone.begin(), alone.end(),
                           together.begin() + static_cast<std::ptrdiff_t>(i * 784)));
  }
  const auto of = [&](std::uint64_t seed, std::uint64_t epoch, std::uint64_t id) {
    auto samples = squares(1);
    Augmenter(kAll, kShape, DType::kUInt8, seed).apply(epoch, std::vector{id}, samples);
    return samples;
  };
  EXPECT_EQ(of(1, 1, 1), of(1, 1, 1));
  EXPECT_NE(of(1, 1, 1), of(2, 1, 1));
  EXPECT_NE(of(1, 1, 1), of(1, 2, 1));
  EXPECT_NE(of(1, 1, 1), of(1, 1, 2));
}

AugmentSpec with_elastic(AugmentSpec spec, float alpha, float sigma) {
  spec.elastic = alpha;
  spec.elastic_sigma = sigma;
  return spec;
}

std::string distorted(const AugmentSpec& spec, const SampleShape& shape) {
  std::size_t bytes = 1;
  for (const std::uint64_t dim : shape.dims) bytes *= static_cast<std::size_t>(dim);
  std::vector<std::uint64_t> ids;
  std::vector<std::byte> samples(20 * bytes);
  for (std::size_t i = 0; i < samples.size(); ++i)
    samples[i] = static_cast<std::byte>(i * i / 37 + i * 11);
  for (std::uint64_t i = 0; i < 20; ++i) ids.push_back(i * 977);
  Augmenter(spec, shape, DType::kUInt8, 42).apply(3, ids, samples);
  return hash_hex(samples);
}

TEST(Augmenter, IsTheSameBitsOnEveryInstructionSet) {
  for (const auto& shape : {SampleShape{{28, 28}}, SampleShape{{9, 7}}, SampleShape{{17, 37, 3}}}) {
    std::string affine;
    std::string elastic;
    testing::on_each_instruction_set([&](const std::string& name) {
      SCOPED_TRACE(name);
      const std::string with_affine = distorted(kAll, shape);
      const std::string with_both = distorted(with_elastic(kAll, 34.0F, 4.0F), shape);
      if (affine.empty()) {
        affine = with_affine;
        elastic = with_both;
      }
      EXPECT_EQ(with_affine, affine);
      EXPECT_EQ(with_both, elastic);
      EXPECT_NE(with_both, with_affine);
    });
  }
}

// A recipe without it keeps its weights.
TEST(Augmenter, WithoutElasticDistortionDoesWhatItEverDid) {
  EXPECT_EQ(distorted(kAll, kShape), "e0d59b38d6cdf8208ab87d2eaf9b5a07");
  EXPECT_EQ(distorted(with_elastic(kAll, 0.0F, 9.0F), kShape), distorted(kAll, kShape));
}

// Each plane as the same channel of the same image whose channels lie side by side.
TEST(Augmenter, DistortsPlanesOfColourAsPixelsOfColour) {
  constexpr std::size_t kPixels = std::size_t{28} * 28;
  const auto spec = with_elastic(kAll, 34.0F, 4.0F);
  std::vector<std::byte> planes(3 * kPixels);
  std::vector<std::byte> pixels(planes.size());
  for (std::size_t p = 0; p < kPixels; ++p) {
    for (std::size_t c = 0; c < 3; ++c) {
      pixels[3 * p + c] = planes[c * kPixels + p] = static_cast<std::byte>(p * (c + 2) / 3);
    }
  }
  const auto before = planes;
  const std::vector<std::uint64_t> ids{12};
  Augmenter(spec, {{3, 28, 28}}, DType::kUInt8, 1).apply(4, ids, planes);
  Augmenter(spec, {{28, 28, 3}}, DType::kUInt8, 1).apply(4, ids, pixels);
  EXPECT_NE(planes, before);
  for (std::size_t p = 0; p < kPixels; ++p) {
    for (std::size_t c = 0; c < 3; ++c) ASSERT_EQ(planes[c * kPixels + p], pixels[3 * p + c]) << p;
  }
  std::vector<std::byte> gray(before.begin(), before.begin() + kPixels);
  Augmenter(spec, {{1, 28, 28}}, DType::kUInt8, 1).apply(4, ids, gray);
  EXPECT_TRUE(std::equal(gray.begin(), gray.end(), planes.begin()));
}

TEST(Augmenter, DistortsByTheFieldAlone) {
  const auto displaced = [](float alpha) {
    auto samples = squares(1);
    Augmenter(with_elastic({}, alpha, 4.0F), kShape, DType::kUInt8, 1)
        .apply(0, std::vector<std::uint64_t>{8}, samples);
    double difference = 0.0;
    const auto before = squares(1);
    for (std::size_t i = 0; i < 784; ++i)
      difference += std::abs(static_cast<double>(samples[i]) - static_cast<double>(before[i]));
    return difference / 784.0;
  };
  EXPECT_LT(displaced(0.001F), 0.1);  // the last of the weights' 8 bits
  EXPECT_GT(displaced(10.0F), 1.0);
  EXPECT_GT(displaced(34.0F), displaced(10.0F));
}

TEST(Augmenter, MovesByNoMoreThanAsked) {
  const Augmenter augmenter({0.0F, 3.0F, 0.0F, 0.0F}, kShape, DType::kUInt8, 1);
  double furthest = 0.0;
  for (std::uint64_t id = 0; id < 500; ++id) {
    auto samples = squares(1);
    augmenter.apply(0, std::vector{id}, samples);
    double weight = 0.0;
    double x_sum = 0.0;
    double y_sum = 0.0;
    for (std::size_t i = 0; i < 784; ++i) {
      const auto value = static_cast<double>(samples[i]);
      weight += value;
      x_sum += value * static_cast<double>(i % 28);
      const std::size_t row = i / 28;
      y_sum += value * static_cast<double>(row);
    }
    EXPECT_NEAR(weight, 200.0 * 120.0, 300.0);  // nothing is lost
    const double x = x_sum / weight - 10.5;
    const double y = y_sum / weight - 13.5;
    EXPECT_LE(std::abs(x), 3.05);
    EXPECT_LE(std::abs(y), 3.05);
    furthest = std::max({furthest, std::abs(x), std::abs(y)});
  }
  EXPECT_GT(furthest, 2.8);
}

TEST(Augmenter, ScalesTheAreaBothWays) {
  const Augmenter augmenter({0.0F, 0.0F, 0.3F, 0.0F}, kShape, DType::kUInt8, 1);
  double least = 1e9;
  double most = 0.0;
  for (std::uint64_t id = 0; id < 300; ++id) {
    auto samples = squares(1);
    augmenter.apply(0, std::vector{id}, samples);
    double weight = 0.0;
    for (const std::byte value : samples) weight += static_cast<double>(value) / (200.0 * 120.0);
    least = std::min(least, weight);
    most = std::max(most, weight);
  }
  EXPECT_NEAR(least, 0.7 * 0.7, 0.05);
  EXPECT_NEAR(most, 1.3 * 1.3, 0.08);
}

TEST(Augmenter, WithTheLargestLimitsStaysInside) {
  const SampleShape shape{{1024, 1024}};
  const Augmenter augmenter({180.0F, 512.0F, 0.8F, 45.0F, 1000.0F, 1.0F}, shape, DType::kUInt8, 9);
  std::vector<std::byte> samples(1024 * 1024, std::byte{255});
  for (std::uint64_t id = 0; id < 5; ++id) augmenter.apply(0, std::vector{id}, samples);
}

TEST(Augmenter, RefusesWhatIsNoImageAndLimitsOutOfRange) {
  EXPECT_NE(refusal(kAll, {{784}}).find("uint8 [height, width]"), std::string::npos);
  EXPECT_NE(refusal(kAll, kShape, DType::kFloat32).find("float32"), std::string::npos);
  EXPECT_NE(refusal(kAll, {{2000, 10}}).find("1024"), std::string::npos);
  EXPECT_EQ(refusal({181.0F, 0, 0, 0}), "--rotate: expected a number from 0 to 180, found 181");
  EXPECT_EQ(refusal({0, 0, 0.9F, 0}), "--scale: expected a number from 0 to 0.8, found 0.9");
  EXPECT_EQ(refusal({0, -1.0F, 0, 0}), "--shift: expected a number from 0 to 512, found -1");
  EXPECT_EQ(refusal({0, 0, 0, 50.0F}), "--shear: expected a number from 0 to 45, found 50");
  EXPECT_EQ(refusal(kAll, {{8, 8, 3}}), "accepted");
  EXPECT_EQ(refusal(kAll, {{3, 8, 8}}), "accepted");
  EXPECT_EQ(
      refusal(kAll, {{4, 8, 9}}),
      "augmentation: expected images, uint8 [height, width], [height, width, 1 or 3] or [1 or "
      "3, height, width] of sides of at most 1024, found samples of 4x8x9 uint8");
  EXPECT_TRUE(refusal(kAll, {{784}})
                  .ends_with("found samples of 784 uint8 (--image-size WxH makes images of them)"));
  EXPECT_EQ(refusal(with_elastic({}, 4001.0F, 4.0F)),
            "--elastic: expected a number from 0 to 4000, found 4001");
  EXPECT_EQ(refusal(with_elastic({}, -1.0F, 4.0F)),
            "--elastic: expected a number from 0 to 4000, found -1");
  EXPECT_EQ(refusal(with_elastic({}, 34.0F, 0.5F)),
            "--elastic-sigma: expected a number from 1 to 128, found 0.5");
  EXPECT_EQ(refusal(with_elastic({}, 34.0F, std::nanf(""))),
            "--elastic-sigma: expected a number from 1 to 128, found nan");
}

}  // namespace
}  // namespace millrace
