// Binary cross-entropy against its definition in double precision.

#include "compute/cpu/binary_loss.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/compute/engine_data.h"
#include "tests/support/instruction_sets.h"

namespace millrace {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// What is said of labels, a row of them for each sample.
struct Judged {
  std::vector<float> slopes;  // [rows, labels]
  std::vector<float> losses;
  std::vector<float> wrong;
};

Judged judge(const std::vector<float>& logits, const std::vector<float>& targets,
             std::size_t labels, bool gradient = true) {
  const std::size_t rows = logits.size() / labels;
  std::vector<std::int32_t> words;
  for (const float target : targets) words.push_back(std::bit_cast<std::int32_t>(target));
  cpu::RowSource source;
  source.labels = words.data();
  source.label_words = labels;
  const cpu::ActLayout layout{rows, labels};
  std::vector<float> z(layout.size(), 7.0F);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t t = 0; t < labels; ++t) z[layout.offset(r, t)] = logits[r * labels + t];
  }
  Judged judged;
  judged.losses.resize(rows);
  judged.wrong.resize(rows);
  cpu::TargetLoss op;
  op.loss = Loss::kBinaryCrossEntropy;
  op.z = z.data();
  op.layout = layout;
  op.rows = rows;
  op.targets = labels;
  op.source = &source;
  op.gradient_scale = static_cast<float>(labels);  // slopes are those of a row's sum
  op.gradient = gradient;
  op.losses = judged.losses.data();
  op.squared_errors = judged.wrong.data();
  cpu::target_loss(op);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t t = 0; t < labels; ++t) judged.slopes.push_back(z[layout.offset(r, t)]);
    for (std::size_t t = labels; gradient && t < cpu::round_up(labels, 16); ++t) {
      EXPECT_EQ(z[layout.offset(r, t)], 0.0F) << r << ", " << t;
    }
  }
  return judged;
}

double loss_of(double z, double target) {
  return std::max(z, 0.0) - z * target + std::log1p(std::exp(-std::abs(z)));
}

TEST(BinaryLoss, IsWithinAFewUnitsInTheLastPlace) {
  std::vector<float> logits;
  for (int i = -4000; i <= 4000; ++i) logits.push_back(static_cast<float>(i) * 0.026F);
  for (const float size : {0.0F, 1e-30F, 1e-7F, 86.9F, 87.0F, 88.0F, 200.0F, 1e30F}) {
    logits.push_back(size);
    logits.push_back(-size);
  }
  for (const float target : {0.0F, 1.0F}) {
    const Judged judged = judge(logits, std::vector<float>(logits.size(), target), 1);
    for (std::size_t i = 0; i < logits.size(); ++i) {
      const double z = logits[i];
      const double loss = loss_of(z, target);
      EXPECT_NEAR(judged.losses[i], loss, 4e-7 * loss + 1e-37) << z;
      // From the side that has the smaller share, which 1 - sigmoid(z) would round away.
      const double slope = target == 1.0F ? -1.0 / (1.0 + std::exp(z)) : 1.0 / (1.0 + std::exp(-z));
      EXPECT_NEAR(judged.slopes[i], slope, 4e-7 * std::abs(slope) + 1e-37) << z;
      EXPECT_EQ(judged.wrong[i], (z >= 0.0) == (target == 1.0F) ? 0.0F : 1.0F) << z;
    }
  }
}

TEST(BinaryLoss, IsTheMeanOverARowsLabels) {
  for (const std::size_t labels : {1U, 2U, 3U, 16U, 31U, 32U, 33U, 70U}) {
    constexpr std::size_t kRows = 7;
    std::vector<float> logits;
    std::vector<float> targets;
    for (std::size_t i = 0; i < kRows * labels; ++i) {
      logits.push_back(5.0F * std::sin(static_cast<float>(i)));
      targets.push_back(i % 3 == 0 ? 1.0F : 0.0F);
    }
    const Judged judged = judge(logits, targets, labels);
    const Judged alone = judge(logits, targets, labels, false);
    EXPECT_EQ(alone.slopes, logits);
    EXPECT_EQ(alone.losses, judged.losses);
    for (std::size_t r = 0; r < kRows; ++r) {
      double loss = 0.0;
      double wrong = 0.0;
      for (std::size_t i = r * labels; i < (r + 1) * labels; ++i) {
        loss += loss_of(logits[i], targets[i]) / static_cast<double>(labels);
        wrong += ((logits[i] >= 0.0F) != (targets[i] == 1.0F)) ? 1.0 : 0.0;
        EXPECT_NEAR(judged.slopes[i], 1.0 / (1.0 + std::exp(-double{logits[i]})) - targets[i],
                    3e-7);
      }
      EXPECT_NEAR(judged.losses[r], loss, 1e-6 * loss);
      EXPECT_EQ(judged.wrong[r], static_cast<float>(wrong));
    }
  }
}

TEST(BinaryLoss, IsTheSameBitsOnEveryInstructionSet) {
  std::vector<float> logits;
  std::vector<float> targets;
  for (std::size_t i = 0; i < 70 * 20; ++i) {
    logits.push_back(30.0F * std::sin(static_cast<float>(i * i)));
    targets.push_back(i % 3 == 0 ? 1.0F : 0.0F);
  }
  const Judged expected = judge(logits, targets, 70);
  testing::on_each_instruction_set([&](const std::string& name) {
    const Judged found = judge(logits, targets, 70);
    EXPECT_EQ(found.losses, expected.losses) << name;
    EXPECT_EQ(found.slopes, expected.slopes) << name;
    EXPECT_EQ(found.wrong, expected.wrong) << name;
  });
}

TEST(BinaryLoss, ANanStaysOneAndHugeLogitsDoNot) {
  const Judged judged = judge({kNan, 1.0F, 3e38F, -3e38F}, {1.0F, 0.0F, 1.0F, 0.0F}, 2);
  EXPECT_TRUE(std::isnan(judged.losses[0]));
  EXPECT_TRUE(std::isnan(judged.slopes[0]));
  EXPECT_FALSE(std::isnan(judged.slopes[1]));
  EXPECT_LT(judged.losses[1], 1e-37F);
  EXPECT_NEAR(judged.slopes[2], 0.0F, 1e-37F);
  EXPECT_EQ(judged.wrong[1], 0.0F);
}

// Three samples of two labels.
test::Data pairs() {
  return test::Data(
      {4, {5}, 2, 3, InputType::kFloat32, Activation::kRelu, Loss::kBinaryCrossEntropy});
}

TEST(Labels, AreZeroOrOne) {
  for (const float bad : {0.5F, -1.0F, 2.0F, kNan, kInfinity}) {
    test::Data data = pairs();
    data.labels[5] = std::bit_cast<std::int32_t>(bad);
    const auto engine = data.engine(Precision::kFloat32, 2);
    const std::string expected =
        "sample 2, target 1: expected 0 or 1, found " + std::to_string(bad);
    try {
      engine->train(data.packed());
      ADD_FAILURE() << "accepted " << bad;
    } catch (const std::out_of_range& error) {
      EXPECT_EQ(error.what(), expected);
    }
  }
}

TEST(Labels, AreNotScaled) {
  test::Data data = pairs();
  data.model.target_scales = {{0.0F, 1.0F}, {0.0F, 1.0F}};
  try {
    data.engine(Precision::kFloat32, 1);
    ADD_FAILURE() << "accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), "scales of targets: expected none with the loss bce");
  }
}

}  // namespace
}  // namespace millrace
