#include "train/target_scales.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "formats/array_dataset.h"
#include "formats/error.h"
#include "tests/support/faulty_dataset.h"
#include "tests/support/files.h"
#include "tests/support/training.h"

namespace millrace {
namespace {

using test::memory_dataset;

std::shared_ptr<const Dataset> numbers(const std::vector<float>& targets) {
  Labels labels{.values = {}, .classes = 0, .targets = 1};
  for (const float target : targets) labels.values.push_back(target_word(target));
  const auto samples = std::make_shared<std::vector<float>>(targets.size() * 2, 1.0F);
  return std::make_shared<ArrayDataset>(Array{.name = "numbers.npy",
                                              .dtype = DType::kFloat32,
                                              .dims = {targets.size(), 2},
                                              .owner = samples,
                                              .data = std::as_bytes(std::span(*samples))},
                                        std::move(labels));
}

TEST(TargetScales, AreMeanAndDeviationOfEachTarget) {
  const auto data = memory_dataset({.targets = 2});
  const auto scales = fit_target_scales(*data, Subset::all(data->size()));
  ASSERT_EQ(scales.size(), 2U);
  for (std::uint32_t t = 0; t < 2; ++t) {
    double sum = 0.0;
    double squares = 0.0;
    for (std::uint64_t i = 0; i < data->size(); ++i) {
      const double value = target_of(data->labels()[2 * i + t]);
      sum += value;
      squares += value * value;
    }
    const double mean = sum / 300.0;
    EXPECT_NEAR(scales[t].mean, mean, 1e-3);
    EXPECT_NEAR(scales[t].deviation, std::sqrt(squares / 300.0 - mean * mean), 1e-3);
  }
}

TEST(TargetScales, AreOfTheSubsetAlone) {
  const auto data = numbers({1, 2, 3, 100});
  const auto split = Split::random(4, 1, 1);
  const auto scales = fit_target_scales(*data, split.train);
  double sum = 0.0;
  for (std::uint64_t i = 0; i < 3; ++i) {
    std::uint64_t id = i;
    split.train.map({&id, 1}, {&id, 1});
    sum += target_of(data->labels()[id]);
  }
  EXPECT_FLOAT_EQ(scales.at(0).mean, static_cast<float>(sum / 3.0));
}

TEST(TargetScales, OfATargetThatIsAlwaysTheSameIsItsMean) {
  EXPECT_EQ(fit_target_scales(*numbers({7, 7, 7}), Subset::all(3)),
            (std::vector<TargetScale>{{7.0F, 1.0F}}));
}

TEST(TargetScales, NeedTargetsWithAFiniteDeviation) {
  constexpr float kMost = std::numeric_limits<float>::max();
  try {
    fit_target_scales(*numbers({kMost, -kMost, kMost, -kMost}), Subset::all(4));
  } catch (const DataError& error) {
    FAIL() << "its deviation is the largest float32: " << error.what();
  }
  const auto refused = test::data_error_of([&] {
    fit_target_scales(*numbers({kMost, kMost, -kMost}), Subset::all(3));
  });
  EXPECT_EQ(refused,
            "numbers.npy: expected numbers as target 0 whose distance from their mean is finite as "
            "float32, found 4.5371e+38");
  const auto hidden = std::make_shared<test::FaultyDataset>(memory_dataset({.targets = 1}),
                                                            std::set<std::uint64_t>{});
  EXPECT_THROW(fit_target_scales(*hidden, Subset::all(300)), std::invalid_argument);
}

TEST(TargetSpread, IsTheMeanVarianceAsTheNetworkSeesIt) {
  const auto data = numbers({1, 3});
  EXPECT_DOUBLE_EQ(target_spread(*data, Subset::all(2), {}), 1.0);
  EXPECT_DOUBLE_EQ(target_spread(*data, Subset::all(2), std::vector<TargetScale>{{5.0F, 2.0F}}),
                   0.25);
  const auto two = memory_dataset({.targets = 2});
  const auto all = Subset::all(two->size());
  EXPECT_NEAR(target_spread(*two, all, fit_target_scales(*two, all)), 1.0, 1e-6);
}

TEST(TargetSpread, IsWithoutSamplesThatAreLeftOut) {
  const auto data = numbers({1, 3, 100, 5});
  EXPECT_DOUBLE_EQ(target_spread(*data, Subset::all(4), {}, {2}),
                   target_spread(*numbers({1, 3, 5}), Subset::all(3), {}));
}

TEST(R2, IsOneWithoutAnErrorAndZeroForTheMean) {
  EXPECT_EQ(r2(0.0, 2.0), 1.0);
  EXPECT_EQ(r2(2.0, 2.0), 0.0);
  EXPECT_EQ(r2(4.0, 2.0), -1.0);
  EXPECT_EQ(r2(0.0, 0.0), 1.0);
  EXPECT_EQ(r2(0.1, 0.0), 0.0);
}

}  // namespace
}  // namespace millrace
