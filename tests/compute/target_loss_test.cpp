// The losses of numbers against their definitions, and what is asked of who brings targets.

#include "compute/cpu/target_loss.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <ostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "compute/target_units.h"
#include "tests/compute/engine_data.h"
#include "tests/support/reference_mlp.h"

namespace millrace {
namespace {

using test::Data;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Case {
  Loss loss;
  std::uint32_t targets;
  bool scaled;
};
std::string name_of(const Case& c) {
  return std::string(name_of(c.loss)) + "_" + std::to_string(c.targets) +
         (c.scaled ? "_scaled" : "");
}
void PrintTo(const Case& c, std::ostream* out) { *out << name_of(c); }

double loss_of(Loss loss, double e) {
  if (loss == Loss::kSquaredError) return e * e;
  if (loss == Loss::kAbsoluteError) return std::abs(e);
  return std::abs(e) <= 1.0 ? e * e / 2.0 : std::abs(e) - 0.5;
}

class TargetLossTest : public testing::TestWithParam<Case> {
 protected:
  static constexpr std::size_t kRows = 21;

  Loss loss() const { return GetParam().loss; }
  // Of a panel's rows beyond those, and of its columns beyond the targets, too.
  std::vector<float> outputs() const {
    std::vector<float> z(layout_.size());
    for (std::size_t i = 0; i < z.size(); ++i) {
      z[i] = 3.0F * std::sin(static_cast<float>(i));
    }
    return z;
  }
  cpu::TargetLoss op(std::vector<float>& z) {
    cpu::TargetLoss op;
    op.loss = loss();
    op.scales = data_.model.target_scales;
    op.z = z.data();
    op.layout = layout_;
    op.rows = kRows;
    op.targets = GetParam().targets;
    op.source = &source_;
    op.first = 2;
    op.losses = losses_;
    op.squared_errors = squares_;
    return op;
  }
  void SetUp() override {
    source_.labels = data_.labels.data();
    source_.label_words = GetParam().targets;
    source_.indices = order_.data();
    for (std::uint32_t i = 0; i < order_.size(); ++i) order_[i] = (i * 7 + 3) % 25;
  }
  // Of row r.
  double error(float z, std::size_t r, std::size_t t) const {
    const double target =
        std::bit_cast<float>(data_.labels[order_[r + 2] * GetParam().targets + t]);
    if (!GetParam().scaled) return double{z} - target;
    const TargetScale& scale = data_.model.target_scales[t];
    return double{z} - (target - double{scale.mean}) / double{scale.deviation};
  }

  Data data_{{3,
              {},
              GetParam().targets,
              10,
              InputType::kUInt8,
              Activation::kRelu,
              GetParam().loss,
              GetParam().scaled}};
  std::vector<std::uint32_t> order_ = std::vector<std::uint32_t>(25);
  cpu::ActLayout layout_{kRows + 3, GetParam().targets};
  cpu::RowSource source_;
  float losses_[kRows] = {};
  float squares_[kRows] = {};
};

TEST_P(TargetLossTest, IsTheMeanOverARowsTargets) {
  std::vector<float> z = outputs();
  const std::vector<float> before = z;
  cpu::target_loss(op(z));
  EXPECT_EQ(z, before);  // no gradient is wanted
  for (std::size_t r = 0; r < kRows; ++r) {
    double expected = 0.0;
    double squares = 0.0;
    for (std::size_t t = 0; t < GetParam().targets; ++t) {
      const double e = error(z[layout_.offset(r, t)], r, t);
      expected += loss_of(loss(), e) / GetParam().targets;
      squares += e * e / GetParam().targets;
    }
    EXPECT_NEAR(losses_[r], expected, 2e-6 * (1.0 + expected)) << r;
    EXPECT_NEAR(squares_[r], squares, 2e-6 * (1.0 + squares)) << r;
  }
}

TEST_P(TargetLossTest, LeavesItsSlopesWhereTheOutputsWere) {
  std::vector<float> z = outputs();
  const std::vector<float> before = z;
  cpu::TargetLoss op = this->op(z);
  op.gradient = true;
  op.gradient_scale = 0.25F;
  cpu::target_loss(op);
  constexpr double kStep = 1e-6;
  const std::size_t targets = GetParam().targets;
  for (std::size_t r = 0; r < layout_.rows; ++r) {
    for (std::size_t t = 0; t < layout_.panels() * cpu::kActPanel; ++t) {
      const std::size_t at = layout_.offset(r, t);
      if (r >= kRows || t >= cpu::round_up(targets, 16)) {
        EXPECT_EQ(z[at], before[at]) << r << ", " << t;
      } else if (t >= targets) {
        EXPECT_EQ(z[at], 0.0F) << r << ", " << t;
      } else {
        const double e = error(before[at], r, t);
        const double slope =
            (loss_of(loss(), e + kStep) - loss_of(loss(), e - kStep)) / (2.0 * kStep);
        EXPECT_NEAR(z[at], slope * 0.25 / static_cast<double>(targets), 1e-6) << r << ", " << t;
      }
    }
  }
}

TEST_P(TargetLossTest, ANanStaysOneAndAnExactOutputHasNoSlope) {
  std::vector<float> z = outputs();
  const std::size_t last = GetParam().targets - 1;
  z[layout_.offset(4, last)] = kNan;
  const auto target = std::bit_cast<float>(data_.labels[order_[2] * GetParam().targets]);
  z[0] = GetParam().scaled ? scaled(data_.model.target_scales[0], target) : target;
  cpu::TargetLoss op = this->op(z);
  op.gradient = true;
  op.gradient_scale = 1.0F;
  cpu::target_loss(op);
  EXPECT_EQ(z[0], 0.0F);
  EXPECT_TRUE(std::isnan(z[layout_.offset(4, last)]));
  EXPECT_TRUE(std::isnan(losses_[4]));
  EXPECT_TRUE(std::isnan(squares_[4]));
  EXPECT_TRUE(std::isfinite(losses_[5]));
}

TEST_P(TargetLossTest, PredictionsAreInTheTargetsUnits) {
  const MlpSpec& model = data_.model;
  for (const auto precision : {Precision::kFloat32, Precision::kBFloat16}) {
    const auto engine = data_.engine(precision, 2);
    if (engine->info().precision != precision) continue;
    engine->train(data_.packed());
    engine->metrics();
    const test::ReferenceMlp reference(engine->parameters(), model);
    std::vector<float> found(data_.size() * model.classes, kNan);
    engine->predict(data_.packed(), found);
    double squares = 0.0;
    for (std::size_t i = 0; i < data_.size(); ++i) {
      const std::vector<double> z = reference.outputs(data_.rows(i, 1));
      for (std::size_t t = 0; t < model.classes; ++t) {
        const TargetScale scale = GetParam().scaled ? model.target_scales[t] : TargetScale{};
        const double expected = z[t] * double{scale.deviation} + double{scale.mean};
        const float prediction = found[i * model.classes + t];
        const double bound = precision == Precision::kFloat32 ? 1e-5 : 2e-2;
        EXPECT_NEAR(prediction, expected, bound * (1.0 + std::abs(expected))) << i << ", " << t;
        const double target = std::bit_cast<float>(data_.labels[i * model.classes + t]);
        squares += std::pow((double{prediction} - target) / double{scale.deviation}, 2.0);
      }
    }
    const Metrics metrics = engine->metrics();
    EXPECT_EQ(metrics.correct, 0U);
    EXPECT_NEAR(metrics.squared_error_sum, squares / model.classes, 1e-4 * (1.0 + squares));
    EXPECT_EQ(metrics.squared_error_sum * 16777216.0,
              std::floor(metrics.squared_error_sum * 16777216.0));
    const double mean = squares / model.classes / static_cast<double>(data_.size());
    EXPECT_NEAR(metrics.mean_squared_error(), mean, 1e-4 * (mean + 1e-3));
    if (loss() == Loss::kSquaredError) {
      EXPECT_EQ(metrics.loss_sum, metrics.squared_error_sum);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Losses, TargetLossTest,
    testing::Values(Case{Loss::kSquaredError, 1, false}, Case{Loss::kSquaredError, 3, true},
                    Case{Loss::kSquaredError, 40, true}, Case{Loss::kAbsoluteError, 1, true},
                    Case{Loss::kAbsoluteError, 40, false}, Case{Loss::kHuber, 3, false},
                    Case{Loss::kHuber, 40, true}, Case{Loss::kHuber, 32, false}),
    [](const auto& tested) { return name_of(tested.param); });

// Three samples of two targets.
Data pairs(Loss loss = Loss::kSquaredError, bool scaled = false) {
  return Data({4, {5}, 2, 3, InputType::kFloat32, Activation::kRelu, loss, scaled});
}

template <class Call>
std::string refusal(const Call& call) {
  try {
    call();
  } catch (const std::out_of_range& error) {
    return std::string("range: ") + error.what();
  } catch (const std::invalid_argument& error) {
    return std::string("argument: ") + error.what();
  }
  return "accepted";
}

TEST(Targets, MustBeFinite) {
  for (const float bad : {kNan, kInfinity, -kInfinity}) {
    Data data = pairs();
    data.labels[5] = std::bit_cast<std::int32_t>(bad);
    const auto engine = data.engine(Precision::kFloat32, 2);
    const Parameters before = engine->parameters();
    std::vector<float> room(data.labels.size());
    const std::string expected =
        "range: sample 2, target 1: expected a finite number, found " + std::to_string(bad);
    EXPECT_EQ(refusal([&] { engine->train(data.packed()); }), expected);
    EXPECT_EQ(refusal([&] { engine->evaluate(data.packed()); }), expected);
    EXPECT_EQ(refusal([&] { engine->predict(data.packed(), room); }), expected);
    EXPECT_EQ(refusal([&] { engine->add_resident(data.resident()); }), expected);
    EXPECT_TRUE(engine->parameters() == before);
    EXPECT_EQ(engine->metrics().samples, 0U);
  }
}

TEST(Targets, AreAsManyOfEachSample) {
  const Data data = pairs();
  const auto engine = data.engine(Precision::kFloat32, 2);
  Chunk chunk = data.packed();
  chunk.labels = chunk.labels.first(chunk.labels.size() - 1);
  EXPECT_EQ(refusal([&] { engine->train(chunk); }),
            "argument: chunk: expected 8 packed samples with labels, found fewer");
  ResidentSet set = data.resident();
  set.labels = set.labels.first(set.labels.size() - 1);
  EXPECT_EQ(refusal([&] { engine->add_resident(set); }),
            "argument: resident set: expected 2 targets of each sample, found 15 in all");
  set.labels = set.labels.first(set.labels.size() - 1);
  EXPECT_EQ(refusal([&] { engine->add_resident(set); }),
            "argument: resident set: expected 112 bytes of samples, found 128");
  const std::uint32_t source = engine->add_resident(data.resident());
  chunk = data.indexed(source);
  std::vector<std::uint32_t> beyond(data.order);
  beyond.back() = 8;
  chunk.indices = beyond;
  EXPECT_EQ(refusal([&] { engine->train(chunk); }),
            "range: chunk: expected indices below 8, found 8");
  std::vector<float> room(15);
  EXPECT_EQ(refusal([&] { engine->predict(data.packed(), room); }),
            "argument: predict: expected room for 16 targets, found 15");
}

TEST(Targets, AskForASpecOfTheirOwn) {
  const auto refused = [](const auto& spoil) {
    Data data = pairs(Loss::kHuber, true);
    spoil(data);
    return refusal([&] { data.engine(Precision::kFloat32, 1); });
  };
  EXPECT_EQ(refused([](Data&) {}), "accepted");
  EXPECT_EQ(refused([](Data& d) { d.train.label_smoothing = 0.1F; }),
            "argument: label smoothing: expected none with the loss huber");
  EXPECT_EQ(refused([](Data& d) {
              d.train.class_weights = {1.0F, 1.0F};
            }),
            "argument: class weights: expected none with the loss huber");
  EXPECT_EQ(refused([](Data& d) { d.model.target_scales.pop_back(); }),
            "argument: scales of targets: expected 2, found 1");
  EXPECT_EQ(refused([](Data& d) { d.model.loss = Loss::kCrossEntropy; }),
            "argument: scales of targets: expected none with cross-entropy");
  for (const float bad : {0.0F, -1.0F, kNan, kInfinity}) {
    EXPECT_EQ(refused([bad](Data& d) { d.model.target_scales[1].deviation = bad; }),
              "argument: deviation of a target: expected a finite number above 0, found " +
                  std::to_string(bad));
  }
  EXPECT_EQ(refused([](Data& d) { d.model.target_scales[0].mean = kNan; }),
            "argument: mean of a target: expected a finite number, found " + std::to_string(kNan));
}

}  // namespace
}  // namespace millrace
