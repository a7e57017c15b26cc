// The arithmetic of the kernels, run by as many threads as a device has.

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "compute/cuda/kernel.h"
#include "tests/compute/cuda/emulated_device.h"
#include "tests/support/reference_mlp.h"

namespace millrace::cuda {
namespace {

using test::emulate;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(BFloat16, EveryValueComesBack) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const float value = bfloat16_to_float(static_cast<std::uint16_t>(bits));
    const std::uint16_t back = float_to_bfloat16(value);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(bfloat16_to_float(back)));
    } else {
      EXPECT_EQ(back, bits);
    }
  }
}

TEST(BFloat16, RoundsToTheNearestAndTiesToEven) {
  for (std::uint32_t bits = 0; bits < 0x7F80; bits += 37) {
    const auto even = static_cast<std::uint16_t>(bits & ~1U);
    const auto low = bfloat16_to_float(even);
    const auto odd = bfloat16_to_float(static_cast<std::uint16_t>(even + 1));
    const float middle = std::isinf(odd) ? odd : static_cast<float>((double{low} + odd) / 2.0);
    if (std::isinf(middle) || middle == low) continue;
    EXPECT_EQ(float_to_bfloat16(middle), even);
    EXPECT_EQ(float_to_bfloat16(-middle), even | 0x8000U);
    EXPECT_EQ(float_to_bfloat16(std::nextafter(middle, kInfinity)), even + 1);
    EXPECT_EQ(float_to_bfloat16(std::nextafter(middle, 0.0F)), even);
  }
  EXPECT_EQ(float_to_bfloat16(std::numeric_limits<float>::max()), 0x7F80);
  // Payloads in the lower half alone would round to infinity.
  float payload = 0.0F;
  const std::uint32_t bits = 0x7F800001;
  std::memcpy(&payload, &bits, sizeof payload);
  EXPECT_TRUE(std::isnan(bfloat16_to_float(float_to_bfloat16(payload))));
}

TEST(GatherKernel, ConvertsScalesAndPads) {
  for (const std::uint32_t features : {1U, 3U, 4U, 15U, 16U, 18U}) {
    for (const bool bytes : {true, false}) {
      for (const bool indexed : {true, false}) {
        const std::uint32_t padded = (features + 15) / 16 * 16;
        std::vector<std::uint8_t> raw(std::size_t{7} * features);
        std::vector<float> wide(raw.size());
        for (std::size_t i = 0; i < raw.size(); ++i) {
          raw[i] = static_cast<std::uint8_t>(i * 37 + 200);
          wide[i] = static_cast<float>(i) - 9.5F;
        }
        const std::vector<std::uint32_t> indices{6, 0, 3, 3, 5};
        std::vector<float> out(std::size_t{8} * padded, kNan);
        const void* from = bytes ? static_cast<const void*>(raw.data()) : wide.data();
        emulate(Gather{from, bytes, indexed ? indices.data() : nullptr, 5, 8, features, padded,
                       0.25F, Elements{out.data(), ElementType::kFloat32}});
        for (std::size_t r = 0; r < 8; ++r) {
          for (std::size_t c = 0; c < padded; ++c) {
            const std::size_t at = (indexed && r < 5 ? indices[r] : r) * features + c;
            const float sample = r >= 5 || c >= features ? 0.0F
                                 : bytes                 ? static_cast<float>(raw[at])
                                                         : wide[at];
            EXPECT_EQ(out[r * padded + c], 0.25F * sample) << features << " " << r << " " << c;
          }
        }
      }
    }
  }
}

struct Judged {
  float loss = kNan;
  bool correct = false;
  std::vector<float> gradient;
};
Judged judge(std::vector<float> logits, std::int32_t label, std::uint32_t rows = 1,
             float smoothing = 0.0F, const std::vector<float>& weights = {}) {
  const auto classes = static_cast<std::uint32_t>(logits.size());
  const std::uint32_t stride = classes + 3;
  std::vector<float> padded(std::size_t{rows} * stride, 1e30F);   // padding must not count
  std::vector<float> gradient(padded.size() + 2 * stride, kNan);  // and two rows of no samples
  for (std::uint32_t r = 0; r < rows; ++r) {
    std::copy(logits.begin(), logits.end(), padded.begin() + std::ptrdiff_t{r} * stride);
  }
  const std::vector<std::int32_t> labels(rows, label);
  std::vector<float> losses(rows, kNan);
  std::vector<std::uint8_t> correct(rows, 77);
  emulate(SoftmaxLoss{padded.data(), labels.data(), nullptr, rows, rows + 2, classes, stride,
                      Elements{gradient.data(), ElementType::kFloat32}, losses.data(),
                      correct.data(), smoothing, 0, weights.empty() ? nullptr : weights.data()});
  const std::size_t last = std::size_t{rows - 1} * stride;
  for (std::size_t i = last + classes; i < gradient.size(); ++i) EXPECT_EQ(gradient[i], 0.0F);
  return {losses.back(),
          correct.back() == 1,
          {gradient.begin() + static_cast<std::ptrdiff_t>(last),
           gradient.begin() + static_cast<std::ptrdiff_t>(last + classes)}};
}

TEST(SoftmaxKernel, AgreesWithDoublePrecision) {
  for (const float spread : {0.0F, 1.0F, 30.0F, 3000.0F}) {
    for (std::int32_t label = 0; label < 5; ++label) {
      std::vector<float> logits;
      for (int c = 0; c < 5; ++c) logits.push_back(spread * std::sin(static_cast<float>(3 * c)));
      const Judged found = judge(logits, label, 3);
      const double largest = *std::max_element(logits.begin(), logits.end());
      double sum = 0.0;
      for (const float z : logits) sum += std::exp(double{z} - largest);
      const double loss = std::log(sum) + largest - double{logits[label]};
      EXPECT_NEAR(found.loss, loss, 1e-6 * (1.0 + loss));
      for (int c = 0; c < 5; ++c) {
        const double share = std::exp(double{logits[c]} - largest) / sum;
        EXPECT_NEAR(found.gradient[c], (share - (c == label ? 1.0 : 0.0)) / 3.0, 1e-7);
      }
    }
  }
}

TEST(SoftmaxKernel, SmoothsLabelsAsTorchDoes) {
  const std::vector<float> logits{0.5F, -1.0F, 2.0F, 0.0F};
  double sum = 0.0;
  double mean = 0.0;
  for (const float z : logits) sum += std::exp(double{z});
  for (const float z : logits) mean += double{z} / 4.0;
  for (std::int32_t label = 0; label < 4; ++label) {
    const Judged found = judge(logits, label, 2, 0.2F);
    EXPECT_NEAR(found.loss, std::log(sum) - 0.8 * double{logits[label]} - 0.2 * mean, 1e-6);
    for (int c = 0; c < 4; ++c) {
      const double target = 0.05 + (c == label ? 0.8 : 0.0);
      EXPECT_NEAR(found.gradient[c], (std::exp(double{logits[c]}) / sum - target) / 2.0, 1e-7);
    }
  }
}

TEST(SoftmaxKernel, MultipliesByTheWeightOfTheLabel) {
  const std::vector<float> logits{0.5F, -1.0F, 2.0F};
  const std::vector<float> weights{1.0F, 2.5F, 0.0F};
  for (std::int32_t label = 0; label < 3; ++label) {
    const Judged plain = judge(logits, label, 2, 0.1F);
    const Judged found = judge(logits, label, 2, 0.1F, weights);
    const float weight = weights[static_cast<std::size_t>(label)];
    EXPECT_FLOAT_EQ(found.loss, weight * plain.loss);
    EXPECT_EQ(found.correct, plain.correct);
    for (std::size_t c = 0; c < 3; ++c) {
      EXPECT_NEAR(found.gradient[c], weight * plain.gradient[c], 1e-7);
    }
  }
}

TEST(SoftmaxKernel, TheFirstLargestIsTheGuess) {
  EXPECT_TRUE(judge({1, 3, 2}, 1).correct);
  EXPECT_FALSE(judge({1, 3, 2}, 2).correct);
  EXPECT_TRUE(judge({3, 3, 3}, 0).correct);
  EXPECT_FALSE(judge({3, 3, 3}, 1).correct);
  EXPECT_TRUE(judge({-1, -1, -2}, 0).correct);
  EXPECT_FALSE(judge({0, kNan, 0}, 1).correct);
}

TEST(SoftmaxKernel, WhatIsNotFiniteShowsInTheLoss) {
  for (const float bad : {kNan, kInfinity}) {
    for (std::int32_t label = 0; label < 3; ++label) {
      EXPECT_FALSE(std::isfinite(judge({0, bad, 1}, label).loss));
    }
  }
  EXPECT_FALSE(std::isfinite(judge({-kInfinity, -kInfinity}, 0).loss));
  EXPECT_TRUE(std::isfinite(judge({0, -kInfinity, 1}, 0).loss));
}

TEST(ReluKernels, KeepNan) {
  std::vector<float> y{-2, 0, 2, kNan, -2, 0, 2, kNan};
  std::vector<float> bias{1, 0, 0, 0, 3, 4, -5, 0};
  const Elements view{y.data(), ElementType::kFloat32};
  emulate(BiasRelu{view, {bias.data(), ElementType::kFloat32}, 1, 8, true});
  for (const std::size_t i : {3U, 7U}) {
    EXPECT_TRUE(std::isnan(y[i]));
    y[i] = 9;
  }
  EXPECT_EQ(y, (std::vector<float>{0, 0, 2, 9, 1, 4, 0, 9}));
  y[3] = kNan;
  y.resize(ActivationGradient::kColumns, 1.0F);
  std::vector<float> dy{5, 6, 7, 8, 5, 6, 7, 8};
  dy.resize(y.size());
  std::vector<float> parts(ActivationGradient::kParts * y.size(), kNan);
  const OutputGradient gradient{{dy.data(), ElementType::kFloat32},
                                {y.data(), ElementType::kFloat32}};
  const auto whole = [](std::vector<float> values) {
    values.resize(ActivationGradient::kColumns);
    return values;
  };
  emulate(ActivationGradient{gradient, parts.data(), 1, ActivationGradient::kColumns});
  EXPECT_EQ(dy, whole({0, 0, 7, 8, 5, 6, 0, 8}));
  OutputGradient more = gradient;
  more.factor = 1.5F;
  emulate(ActivationGradient{more, parts.data(), 1, ActivationGradient::kColumns});
  EXPECT_EQ(dy, whole({0, 0, 10.5F, 12, 7.5F, 9, 0, 12}));
}

TEST(ActivationGradientKernel, SumsEachColumnOverAllRows) {
  constexpr std::uint32_t kWidth = 3 * ActivationGradient::kColumns;
  for (const auto type : {ElementType::kFloat32, ElementType::kBFloat16}) {
    for (const std::uint32_t rows : {1U, 128U, 511U, 512U, 1700U}) {
      const std::size_t size = std::size_t{rows} * kWidth;
      // Words, and so aligned as device memory is; small integers have no rounding.
      std::vector<float> dy_memory(size);
      std::vector<float> y_memory(size);
      const Elements dy{dy_memory.data(), type};
      const Elements y{y_memory.data(), type};
      const auto before = [](std::size_t i) { return static_cast<float>(i % 7) - 2.0F; };
      std::vector<float> expected(kWidth, 0.0F);
      for (std::size_t i = 0; i < size; ++i) {
        dy.store(i, before(i));
        y.store(i, static_cast<float>(i % 5) - 1.0F);
        if (i % 5 > 1) expected[i % kWidth] += before(i);
      }
      const auto sums_of = [&](const OutputGradient& gradient) {
        std::vector<float> parts(std::size_t{ActivationGradient::kParts} * kWidth, kNan);
        std::vector<float> sums(kWidth, kNan);
        emulate(ActivationGradient{gradient, parts.data(), rows, kWidth});
        emulate(PartSums{parts.data(), sums.data(), kWidth});
        return sums;
      };
      EXPECT_EQ(sums_of({dy, y, {}}), expected) << rows;
      EXPECT_EQ(sums_of({dy, {}, {}}), expected) << rows;  // nothing to change
      for (std::size_t i = 0; i < size; ++i) {
        ASSERT_EQ(dy.load(i), i % 5 > 1 ? before(i) : 0.0F) << rows << " " << i;
      }
    }
  }
}

TEST(ReluKernels, ABiasIsOfItsColumn) {
  std::vector<float> y(32);
  std::vector<float> bias(16);
  std::iota(bias.begin(), bias.end(), -3.0F);
  emulate(BiasRelu{
      {y.data(), ElementType::kFloat32}, {bias.data(), ElementType::kFloat32}, 2, 16, false});
  for (std::size_t i = 0; i < y.size(); ++i) EXPECT_EQ(y[i], bias[i % 16]) << i;
}

// As many as a call does.
std::vector<float> eight(std::vector<float> values) {
  values.resize(Elements::kGroup);
  return values;
}

TEST(OptimizerKernel, SgdIsWhatTorchDocuments) {
  for (const bool with_momentum : {false, true}) {
    std::vector<float> w = eight({1.0F, -2.0F});
    const std::vector<float> g = eight({0.5F, 0.25F});
    std::vector<float> m = eight({3.0F, 4.0F});
    std::vector<std::uint16_t> rounded(Elements::kGroup);
    OptimizerSpec spec;
    spec.learning_rate = 0.125F;
    spec.momentum = 0.5F;
    spec.weight_decay = 0.25F;
    const StepConstants step{optimizer_step(spec, 1), 1};
    OptimizerUpdate update;
    update.weights = w.data();
    update.gradient = g.data();
    update.first = with_momentum ? m.data() : nullptr;
    update.rounded = {rounded.data(), ElementType::kBFloat16};
    update.step = &step;
    update.trained = update.end = Elements::kGroup;
    emulate(update);
    const std::vector<float> change =
        with_momentum ? std::vector<float>{2.25F, 1.75F} : std::vector<float>{0.75F, -0.25F};
    EXPECT_EQ(w, eight({1.0F - 0.125F * change[0], -2.0F - 0.125F * change[1]}));
    EXPECT_EQ(m, with_momentum ? eight(change) : eight({3.0F, 4.0F}));
    EXPECT_EQ(rounded[0], float_to_bfloat16(w[0]));
    EXPECT_EQ(rounded[1], float_to_bfloat16(w[1]));
  }
}

// As the definitions in compute/spec.h say, in double precision.
TEST(OptimizerKernel, TheOthersAreWhatTorchDocuments) {
  using Kind = OptimizerSpec::Kind;
  for (const Kind kind : {Kind::kNesterov, Kind::kAdam, Kind::kAdamW}) {
    OptimizerSpec spec;
    spec.kind = kind;
    spec.learning_rate = 0.01F;
    spec.momentum = kind == Kind::kNesterov ? 0.9F : 0.0F;
    spec.weight_decay = 0.1F;
    std::vector<float> w = eight({0.75F});
    std::vector<float> first = eight({});
    std::vector<float> second = eight({});
    double weight = 0.75;
    double m = 0.0;
    double v = 0.0;
    for (std::uint64_t t = 1; t <= 20; ++t) {
      const std::vector<float> gradient = eight({std::sin(static_cast<float>(t))});
      const StepConstants step{optimizer_step(spec, t), 1};
      OptimizerUpdate update;
      update.weights = w.data();
      update.gradient = gradient.data();
      update.first = first.data();
      update.second = spec.adaptive() ? second.data() : nullptr;
      update.step = &step;
      update.trained = update.end = Elements::kGroup;
      emulate(update);
      auto g = double{gradient[0]};
      if (kind == Kind::kAdamW) {
        weight *= 1.0 - 0.01 * 0.1;
      } else {
        g += 0.1 * weight;
      }
      if (kind == Kind::kNesterov) {
        m = 0.9 * m + g;
        weight -= 0.01 * (g + 0.9 * m);
      } else {
        m = 0.9 * m + 0.1 * g;
        v = 0.999 * v + 0.001 * g * g;
        const auto n = static_cast<double>(t);
        weight -= 0.01 * (m / (1.0 - std::pow(0.9, n))) /
                  (std::sqrt(v / (1.0 - std::pow(0.999, n))) + 1e-8);
      }
      EXPECT_NEAR(w[0], weight, 2e-6) << name_of(kind) << ", step " << t;
    }
  }
}

TEST(OptimizerKernel, AveragesFollowWhatIsTrainedAndWhatIsNot) {
  std::vector<float> w(2 * Elements::kGroup, 1.0F);
  std::fill(w.begin() + Elements::kGroup, w.end(), -2.0F);  // running statistics
  const std::vector<float> g(Elements::kGroup, 0.5F);
  std::vector<float> average(w.size(), 3.0F);
  OptimizerSpec spec;
  spec.learning_rate = 1.0F;
  spec.ema = 0.99F;
  const StepConstants step{optimizer_step(spec, 3), 3};
  OptimizerUpdate update;
  update.weights = w.data();
  update.gradient = g.data();
  update.average = average.data();
  update.step = &step;
  update.trained = Elements::kGroup;
  update.end = w.size();
  emulate(update);
  const double decay = 4.0 / 13.0;
  for (std::size_t i = 0; i < w.size(); ++i) {
    const bool trained = i < Elements::kGroup;
    EXPECT_EQ(w[i], trained ? 0.5F : -2.0F);
    EXPECT_NEAR(average[i], decay * 3.0 + (1.0 - decay) * double{w[i]}, 1e-6);
  }
}

// In bits: groups in any ranges, and one by one.
TEST(OptimizerKernel, ARangeIsUpdatedAndNothingElse) {
  using Kind = OptimizerSpec::Kind;
  for (const Kind kind : {Kind::kSgd, Kind::kNesterov, Kind::kAdamW}) {
    OptimizerSpec spec;
    spec.kind = kind;
    spec.momentum = 0.9F;
    spec.weight_decay = 0.1F;
    spec.ema = 0.9F;
    const StepConstants step{optimizer_step(spec, 5), 5};
    constexpr std::size_t kSize = 6 * Elements::kGroup;
    std::vector<float> gradient(kSize);
    for (std::size_t i = 0; i < kSize; ++i) gradient[i] = std::sin(static_cast<float>(i));
    const float clip = 0.75F;
    using State = std::vector<std::vector<float>>;  // weights, moments, average
    const State begin(4, std::vector<float>(kSize, 0.5F));
    const auto updated = [&](State state, const auto& run) {
      OptimizerUpdate update;
      update.weights = state[0].data();
      update.gradient = gradient.data();
      update.clip = &clip;
      update.first = state[1].data();
      update.second = spec.adaptive() ? state[2].data() : nullptr;
      update.average = state[3].data();
      update.step = &step;
      update.trained = update.end = kSize;
      run(update);
      return state;
    };
    const State whole = updated(begin, [](const OptimizerUpdate& all) { emulate(all); });
    EXPECT_NE(whole[0], begin[0]);
    EXPECT_EQ(updated(begin,
                      [](const OptimizerUpdate& all) {
                        for (std::size_t i = 0; i < kSize; ++i) {
                          const float now = all.update_one(all.step->optimizer, i, all.weights[i],
                                                           0.75F * all.gradient[i]);
                          EXPECT_EQ(now, all.weights[i]);
                        }
                      }),
              whole);
    const State middle = updated(begin, [](OptimizerUpdate part) {
      part.begin = std::size_t{2} * Elements::kGroup;
      part.end = std::size_t{5} * Elements::kGroup;
      emulate(part);
    });
    for (std::size_t s = 0; s < middle.size(); ++s) {
      for (std::size_t i = 0; i < kSize; ++i) {
        const bool inside = i >= 2U * Elements::kGroup && i < 5U * Elements::kGroup;
        EXPECT_EQ(middle[s][i], inside ? whole[s][i] : begin[s][i]) << s << " " << i;
      }
    }
  }
}

TEST(DropoutKernel, KeepsTheShareAskedForAndScalesIt) {
  const StepConstants step{{}, 17};
  const auto drop = [&](std::uint32_t layer, std::uint64_t seed) {
    std::vector<float> y(std::size_t{500} * 48, 2.0F);
    // A quarter of 65536.
    emulate(Dropout{
        {y.data(), ElementType::kFloat32}, {&step, seed, layer, 0, 16384, 4.0F / 3.0F}, 500, 48});
    return y;
  };
  const auto y = drop(0, 5);
  const auto kept = std::count(y.begin(), y.end(), 2.0F * (4.0F / 3.0F));
  EXPECT_EQ(kept + std::count(y.begin(), y.end(), 0.0F), 24000);
  EXPECT_NEAR(static_cast<double>(kept), 18000.0, 4.0 * std::sqrt(24000.0 * 0.25 * 0.75));
  EXPECT_EQ(drop(0, 5), y);
  EXPECT_NE(drop(1, 5), y);
  EXPECT_NE(drop(0, 6), y);
}

TEST(DropoutKernel, APartOfABatchKeepsWhatTheWholeDoes) {
  const StepConstants step{{}, 3};
  std::vector<float> whole(std::size_t{20} * 48, 1.0F);
  std::vector<float> part(std::size_t{13} * 48, 1.0F);
  const Keeping keeping{&step, 9, 1, 0, 30000, 2.0F};
  emulate(Dropout{{whole.data(), ElementType::kFloat32}, keeping, 20, 48});
  Keeping later = keeping;
  later.first = 7;
  emulate(Dropout{{part.data(), ElementType::kFloat32}, later, 13, 48});
  EXPECT_EQ(part, std::vector<float>(whole.begin() + 7 * 48, whole.end()));
}

constexpr Activation kActivations[] = {Activation::kRelu, Activation::kGelu, Activation::kTanh,
                                       Activation::kSigmoid, Activation::kLeakyRelu};

TEST(ActivateKernel, AgreesWithTheDefinition) {
  std::vector<float> numbers{0.0F, -0.0F, 1e-30F, -1e-30F, 100.0F, -100.0F, 1e30F, -1e18F};
  for (float x = 1e-9F; x < 1e3F; x *= 1.01F) {
    numbers.push_back(x);
    numbers.push_back(-x);
  }
  for (const Activation kind : kActivations) {
    double worst = 0.0;
    for (const float z : numbers) {
      const Point point = activated(kind, z);
      const bool grows = kind != Activation::kTanh && kind != Activation::kSigmoid;
      const double size = grows ? std::max(1.0, std::abs(double{z})) : 1.0;
      worst =
          std::max(worst, std::abs(double{point.y} - millrace::test::activated(kind, z)) / size);
      worst = std::max(
          worst, std::abs(double{point.slope} - millrace::test::activation_slope(kind, z)) / size);
    }
    EXPECT_LT(worst, 3e-7) << name_of(kind);
    EXPECT_TRUE(std::isnan(activated(kind, kNan).y)) << name_of(kind);
  }
}

TEST(ActivateKernel, LeavesZeroBeyondTheWidthAndWhereItDrops) {
  constexpr std::uint32_t kRows = 5;
  constexpr std::uint32_t kWidth = 19;
  constexpr std::uint32_t kPadded = 32;
  const StepConstants step{{}, 4};
  for (const auto type : {ElementType::kFloat32, ElementType::kBFloat16}) {
    for (const Activation kind : kActivations) {
      for (const bool drops : {false, true}) {
        // Aligned as device memory is.
        alignas(16) std::uint32_t sums[kRows * kPadded];
        alignas(16) std::uint32_t slopes[kRows * kPadded];
        alignas(16) float kept[kRows * kPadded];
        const Elements y{sums, type};
        const Elements factors{slopes, type};
        const auto at = [](std::size_t i) { return 0.25F * (static_cast<float>(i % 11) - 5.0F); };
        for (std::size_t i = 0; i < kRows * kPadded; ++i) y.store(i, at(i));
        std::fill_n(kept, kRows * kPadded, 1.0F);
        const Keeping keeping = drops ? Keeping{&step, 5, 2, 3, 16384, 4.0F / 3.0F} : Keeping{};
        if (drops) emulate(Dropout{{kept, ElementType::kFloat32}, keeping, kRows, kPadded});
        emulate(Activate{y, y, factors, kRows, kWidth, kPadded, kind, keeping, {}});
        const double bound = type == ElementType::kFloat32 ? 1e-6 : 8e-3;
        for (std::size_t i = 0; i < kRows * kPadded; ++i) {
          const double share = i % kPadded < kWidth ? double{kept[i]} : 0.0;
          EXPECT_NEAR(y.load(i), share * millrace::test::activated(kind, at(i)), bound) << i;
          EXPECT_NEAR(factors.load(i), share * millrace::test::activation_slope(kind, at(i)), bound)
              << i;
        }
        alignas(16) std::uint32_t gradient[kRows * kPadded];
        const Elements dy{gradient, type};
        for (std::size_t i = 0; i < kRows * kPadded; ++i) dy.store(i, 0.5F);
        float parts[ActivationGradient::kParts * kPadded];
        emulate(ActivationGradient{{dy, {}, factors}, parts, kRows, kPadded});
        for (std::size_t i = 0; i < kRows * kPadded; ++i) {
          EXPECT_EQ(dy.load(i), 0.5F * factors.load(i)) << i;
        }
      }
    }
  }
}

TEST(SumKernels, AGradientIsClippedToItsNorm) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{200000}}) {
    std::vector<float> gradient(size);
    double square = 0.0;
    for (std::size_t i = 0; i < size; ++i) {
      gradient[i] = std::sin(static_cast<float>(i + 1));
      square += double{gradient[i]} * double{gradient[i]};
    }
    const auto norm = static_cast<float>(std::sqrt(square));
    std::vector<double> sums(SquareSums::kBlocks, std::nan(""));
    const auto factor = [&](float most) {
      float found = kNan;
      emulate(SquareSums{gradient.data(), size, sums.data()});
      emulate(ClipFactor{sums.data(), most, &found});
      return found;
    };
    EXPECT_NEAR(factor(norm / 4.0F), 0.25, 1e-5);
    EXPECT_EQ(factor(norm * 1.01F), 1.0F);
    gradient.back() = kNan;
    EXPECT_TRUE(std::isnan(factor(1.0F)));
  }
}

// Rows of `targets` targets, of one whose loss is made by hand.
struct Numbers {
  explicit Numbers(std::uint32_t count) : targets(count), stride((count + 15) / 16 * 16) {
    outputs.assign(std::size_t{kRows} * stride, 1e30F);  // padding must not count
    for (std::uint32_t r = 0; r < kRows; ++r) {
      for (std::uint32_t t = 0; t < targets; ++t) {
        outputs[r * stride + t] = 3.0F * std::sin(static_cast<float>(r * targets + t));
      }
    }
    for (std::uint32_t i = 0; i < kSamples * targets; ++i) {
      words.push_back(std::bit_cast<std::int32_t>(2.0F * std::cos(static_cast<float>(2 * i))));
    }
    for (std::uint32_t t = 0; t < targets; ++t) {
      scales.push_back({static_cast<float>(t % 3) - 1.0F, 0.5F + 0.25F * static_cast<float>(t)});
    }
  }
  // `add` rows of no samples behind.
  TargetLoss kernel(Loss loss, bool scaled, ElementType type, std::uint32_t add) {
    gradient.assign(std::size_t{kRows + add} * stride, kNan);
    rounded.assign(gradient.size(), 0xFFFF);
    losses.assign(kRows, kNan);
    squares.assign(kRows, kNan);
    const bool wide = type == ElementType::kFloat32;
    return {outputs.data(),
            words.data(),
            indices.data(),
            kRows,
            kRows + add,
            targets,
            stride,
            Elements{wide ? static_cast<void*>(gradient.data()) : rounded.data(), type},
            losses.data(),
            squares.data(),
            20,
            loss,
            scaled ? scales.data() : nullptr};
  }
  double error(std::uint32_t r, std::uint32_t t, bool scaled) const {
    double target = std::bit_cast<float>(words[indices[r] * targets + t]);
    if (scaled) target = (target - double{scales[t].mean}) / double{scales[t].deviation};
    return double{outputs[r * stride + t]} - target;
  }

  static constexpr std::uint32_t kRows = 9;
  static constexpr std::uint32_t kSamples = 12;
  std::uint32_t targets;
  std::uint32_t stride;
  std::vector<float> outputs;
  std::vector<std::int32_t> words;
  std::vector<std::uint32_t> indices{11, 0, 7, 7, 3, 4, 5, 1, 2};
  std::vector<TargetScale> scales;
  std::vector<float> gradient;
  std::vector<std::uint16_t> rounded;
  std::vector<float> losses;
  std::vector<float> squares;
};

TEST(RegressionKernel, AgreesWithDoublePrecision) {
  for (const std::uint32_t targets : {1U, 3U, 40U}) {
    Numbers numbers(targets);
    for (const Loss loss : {Loss::kSquaredError, Loss::kAbsoluteError, Loss::kHuber}) {
      for (const bool scaled : {false, true}) {
        for (const auto type : {ElementType::kFloat32, ElementType::kBFloat16}) {
          SCOPED_TRACE(std::string(name_of(loss)) + " of " + std::to_string(targets));
          emulate(numbers.kernel(loss, scaled, type, 2));
          for (std::uint32_t r = 0; r < Numbers::kRows + 2; ++r) {
            double sum = 0.0;
            double squares = 0.0;
            for (std::uint32_t t = 0; t < numbers.stride; ++t) {
              double slope = 0.0;
              if (r < Numbers::kRows && t < targets) {
                const double e = numbers.error(r, t, scaled);
                const double sign = e < 0.0 ? -1.0 : 1.0;
                const bool square = loss == Loss::kHuber && std::abs(e) <= 1.0;
                sum += loss == Loss::kSquaredError ? e * e
                       : square                    ? e * e / 2.0
                       : loss == Loss::kHuber      ? std::abs(e) - 0.5
                                                   : std::abs(e);
                squares += e * e;
                slope = (loss == Loss::kSquaredError ? 2.0 * e
                         : square                    ? e
                                                     : sign) /
                        (20.0 * targets);
              }
              const std::size_t at = std::size_t{r} * numbers.stride + t;
              const bool wide = type == ElementType::kFloat32;
              const float found =
                  wide ? numbers.gradient[at] : bfloat16_to_float(numbers.rounded[at]);
              EXPECT_NEAR(found, slope, wide ? 1e-7 : std::abs(slope) / 128.0 + 1e-7)
                  << r << ", " << t;
            }
            if (r >= Numbers::kRows) continue;
            EXPECT_NEAR(numbers.losses[r], sum / targets, 2e-6 * (1.0 + sum / targets));
            EXPECT_NEAR(numbers.squares[r], squares / targets, 2e-6 * (1.0 + squares / targets));
          }
        }
      }
    }
  }
}

TEST(RegressionKernel, JudgesLabels) {
  Numbers numbers(40);
  for (std::size_t i = 0; i < numbers.words.size(); ++i) {
    numbers.words[i] = std::bit_cast<std::int32_t>(i % 3 == 0 ? 1.0F : 0.0F);
  }
  numbers.outputs[1] = 120.0F;
  numbers.outputs[2] = -120.0F;
  numbers.outputs[numbers.stride + 35] = kNan;
  emulate(numbers.kernel(Loss::kBinaryCrossEntropy, false, ElementType::kFloat32, 2));
  for (std::uint32_t r = 0; r < Numbers::kRows; ++r) {
    double sum = 0.0;
    double wrong = 0.0;
    for (std::uint32_t t = 0; t < 40; ++t) {
      const double z = numbers.outputs[r * numbers.stride + t];
      const double target = std::bit_cast<float>(numbers.words[numbers.indices[r] * 40 + t]);
      sum += std::max(z, 0.0) - z * target + std::log1p(std::exp(-std::abs(z)));
      wrong += (z >= 0.0) == (target == 1.0) ? 0.0 : 1.0;
      const float slope = numbers.gradient[r * numbers.stride + t];
      if (std::isnan(z)) {
        EXPECT_TRUE(std::isnan(slope));
      } else {
        EXPECT_NEAR(slope, (1.0 / (1.0 + std::exp(-z)) - target) / (20.0 * 40.0), 1e-9) << r << t;
      }
    }
    if (r == 1) {
      EXPECT_TRUE(std::isnan(numbers.losses[r]));
      continue;
    }
    EXPECT_NEAR(numbers.losses[r], sum / 40.0, 2e-6 * sum / 40.0);
    EXPECT_EQ(numbers.squares[r], static_cast<float>(wrong));
  }
  for (std::uint32_t i = Numbers::kRows * numbers.stride; i < numbers.gradient.size(); ++i) {
    EXPECT_EQ(numbers.gradient[i], 0.0F);
  }
}

TEST(RegressionKernel, LeavesOutAGradientThatNobodyWants) {
  Numbers numbers(3);
  TargetLoss kernel = numbers.kernel(Loss::kHuber, true, ElementType::kFloat32, 0);
  emulate(kernel);
  const std::vector<float> losses = numbers.losses;
  kernel = numbers.kernel(Loss::kHuber, true, ElementType::kFloat32, 0);
  kernel.gradient = {};
  emulate(kernel);
  EXPECT_EQ(numbers.losses, losses);
  EXPECT_TRUE(std::isnan(numbers.gradient[0]));
}

TEST(RegressionKernel, ANanStaysOneAndAnExactOutputHasNoSlope) {
  for (const Loss loss : {Loss::kSquaredError, Loss::kAbsoluteError, Loss::kHuber}) {
    Numbers numbers(40);
    numbers.outputs[0] = std::bit_cast<float>(numbers.words[std::size_t{11} * 40]);
    numbers.outputs[numbers.stride + 35] = kNan;
    emulate(numbers.kernel(loss, false, ElementType::kFloat32, 0));
    EXPECT_EQ(numbers.gradient[0], 0.0F);
    EXPECT_TRUE(std::isfinite(numbers.losses[0]));
    EXPECT_TRUE(std::isnan(numbers.gradient[numbers.stride + 35]));
    EXPECT_TRUE(std::isnan(numbers.losses[1]));
    EXPECT_TRUE(std::isnan(numbers.squares[1]));
  }
}

TEST(SumKernels, SquaredErrorsAddUpExactlyInAnyGrouping) {
  std::vector<float> values(3000);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(std::exp(10.0 * std::sin(static_cast<double>(i))));
  }
  const std::vector<float> losses(values.size(), 0.5F);
  const auto sum_in = [&](std::uint32_t group) {
    DeviceMetrics metrics;
    for (std::uint32_t first = 0; first < 3000; first += group) {
      const std::uint32_t rows = std::min(group, 3000 - first);
      emulate(
          MetricsSums{losses.data() + first, nullptr, rows, 8, &metrics, values.data() + first});
    }
    return metrics;
  };
  const DeviceMetrics whole = sum_in(3000);
  EXPECT_EQ(whole.loss_sum, 1500.0);
  EXPECT_EQ(whole.correct, 0U);
  EXPECT_EQ(whole.samples, 3000U);
  double expected = 0.0;
  for (const float value : values) expected += value;
  EXPECT_NEAR(whole.squared_error_sum, expected, 1e-3);
  EXPECT_EQ(sum_in(40).squared_error_sum, whole.squared_error_sum);
  EXPECT_EQ(sum_in(1000).squared_error_sum, whole.squared_error_sum);
  EXPECT_EQ(sum_in(40).squared_error_rest, whole.squared_error_rest);
  EXPECT_NEAR(whole.squared_error_sum + whole.squared_error_rest, expected, 1e-12 * expected);

  // Of a good model there is nothing but rests.
  for (float& value : values) value *= 1e-13F;
  expected = 0.0;
  for (const float value : values) expected += value;
  const DeviceMetrics small = sum_in(3000);
  EXPECT_LT(small.squared_error_sum, 0.5 * expected);
  EXPECT_NEAR(small.squared_error_sum + small.squared_error_rest, expected, 3000 * 0x1p-55);
  EXPECT_EQ(sum_in(40).squared_error_rest, small.squared_error_rest);
}

TEST(SumKernels, MetricsAddUpExactlyInAnyGrouping) {
  std::vector<float> losses(3000);
  std::vector<std::uint8_t> correct(losses.size());
  for (std::size_t i = 0; i < losses.size(); ++i) {
    losses[i] = static_cast<float>(std::exp(10.0 * std::sin(static_cast<double>(i))));
    correct[i] = i % 3 == 0 ? 1 : 0;
  }
  const auto sum_in = [&](std::uint32_t group) {
    DeviceMetrics metrics;
    for (std::uint32_t first = 0; first < 3000; first += group) {
      const std::uint32_t rows = std::min(group, 3000 - first);
      emulate(MetricsSums{losses.data() + first, correct.data() + first, rows, 8, &metrics});
    }
    return metrics;
  };
  const DeviceMetrics whole = sum_in(3000);
  EXPECT_EQ(whole.correct, 1000U);
  EXPECT_EQ(whole.samples, 3000U);
  EXPECT_EQ(whole.steps, 375U);
  EXPECT_EQ(whole.nonfinite, 0U);
  EXPECT_EQ(whole.loss_sum * 16777216.0, std::floor(whole.loss_sum * 16777216.0));
  EXPECT_EQ(sum_in(40).loss_sum, whole.loss_sum);
  EXPECT_EQ(sum_in(1000).loss_sum, whole.loss_sum);

  losses[2049] = kInfinity;
  losses[1717] = kNan;
  EXPECT_EQ(sum_in(3000).nonfinite, 1 + 1717U / 8);
  EXPECT_EQ(sum_in(40).nonfinite, 1 + 1717U / 8);
  DeviceMetrics evaluated;
  emulate(MetricsSums{losses.data(), correct.data(), 3000, 0, &evaluated});
  EXPECT_EQ(evaluated.steps + evaluated.nonfinite, 0U);
}

TEST(SumKernels, HandedOverMetricsBeginAgainAtZero) {
  DeviceMetrics sums{1.5, 2, 3, 4, 5, 6.5, 7.5};
  DeviceMetrics host{9.0, 9, 9, 9, 9, 9.0, 9.0};
  emulate(HandOverSums{&sums, &host});
  EXPECT_EQ(host.loss_sum, 1.5);
  EXPECT_EQ(host.correct, 2U);
  EXPECT_EQ(host.samples, 3U);
  EXPECT_EQ(host.steps, 4U);
  EXPECT_EQ(host.nonfinite, 5U);
  EXPECT_EQ(host.squared_error_sum, 6.5);
  EXPECT_EQ(host.squared_error_rest, 7.5);
  EXPECT_EQ(sums.loss_sum + sums.squared_error_sum + sums.squared_error_rest, 0.0);
  EXPECT_EQ(sums.correct + sums.samples + sums.steps + sums.nonfinite, 0U);
}

TEST(CopyArraysKernel, CopiesEachByteAndNoMore) {
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{15}, std::size_t{16},
                                  std::size_t{17}, std::size_t{5000}}) {
    // Words, and so aligned as device memory is.
    std::vector<std::vector<float>> from;
    std::vector<std::vector<float>> to;
    CopyArrays copy;
    for (std::uint32_t a = 0; a < CopyArrays::kMost; ++a) {
      const std::size_t size = a == 1 ? 2 * bytes : bytes;
      from.emplace_back(size + 4);
      to.emplace_back(size + 4);
      auto* const source = reinterpret_cast<std::uint8_t*>(from[a].data());
      std::memset(to[a].data(), 0x55, (size + 4) * sizeof(float));
      for (std::size_t i = 0; i < size + 16; ++i) source[i] = static_cast<std::uint8_t>(7 * i + a);
      copy.arrays[a] = {source, to[a].data(), size};
    }
    emulate(copy);
    for (std::uint32_t a = 0; a < CopyArrays::kMost; ++a) {
      const std::size_t size = copy.arrays[a].bytes;
      const auto* const copied = reinterpret_cast<const std::uint8_t*>(to[a].data());
      EXPECT_EQ(std::memcmp(copied, from[a].data(), size), 0) << a << ", " << size << " bytes";
      EXPECT_EQ(copied[size], 0x55) << a << ", " << size << " bytes";
    }
  }
}

}  // namespace
}  // namespace millrace::cuda
