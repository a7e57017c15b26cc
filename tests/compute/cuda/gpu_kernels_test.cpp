// The project's own kernels on a real GPU, without a product of cuBLASLt among them:
// compute-sanitizer's racecheck, which cannot have those, looks at these. Skipped where there is no
// GPU.

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "compute/cuda/cuda_runtime.h"
#include "compute/cuda/kernel.h"
#include "tests/compute/cuda/arrays.h"
#include "tests/compute/cuda/emulated_device.h"
#include "tests/compute/cuda/small_problem.h"

namespace millrace::cuda {
namespace {

using test::Arrays;

constexpr ElementType kTypes[] = {ElementType::kFloat32, ElementType::kBFloat16};

// Below 1 in size, either sign, the same in each call.
std::vector<float> numbers(std::size_t count, std::uint32_t seed) {
  std::vector<float> values(count);
  std::uint32_t state = seed;
  for (float& value : values) {
    state = state * 1664525U + 1013904223U;
    value = static_cast<float>(static_cast<std::int32_t>(state)) / 2147483648.0F;
  }
  return values;
}
std::vector<float> positive(std::size_t count, std::uint32_t seed) {
  std::vector<float> values = numbers(count, seed);
  for (float& value : values) value = 1.5F + value;
  return values;
}
// What is to be written.
std::vector<float> unset(std::size_t count) {
  return std::vector<float>(count, std::numeric_limits<float>::quiet_NaN());
}

std::vector<float> floats(const Arrays::Array& array) {
  if (array.numbers == Arrays::Numbers::kFloat32) {
    std::vector<float> values(array.bytes.size() / sizeof(float));
    std::memcpy(values.data(), array.bytes.data(), array.bytes.size());
    return values;
  }
  std::vector<std::uint16_t> rounded(array.bytes.size() / sizeof(std::uint16_t));
  std::memcpy(rounded.data(), array.bytes.data(), array.bytes.size());
  std::vector<float> values(rounded.size());
  std::transform(rounded.begin(), rounded.end(), values.begin(), bfloat16_to_float);
  return values;
}

// In bits, which shows a NaN too; else numbers may be `bound` apart, absolute and relative, and of
// bfloat16 those beside each other.
void expect_equal(const Arrays::Array& found, const Arrays::Array& expected, double bound) {
  if (found.bytes == expected.bytes) return;
  if (expected.numbers == Arrays::Numbers::kWhole) {
    ADD_FAILURE() << "whole numbers differ";
    return;
  }
  const std::vector<float> a = floats(found);
  const std::vector<float> b = floats(expected);
  const bool rounded = expected.numbers == Arrays::Numbers::kBFloat16;
  const double relative = bound > 0.0 && rounded ? bound + 1.0 / 128.0 : bound;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::bit_cast<std::uint32_t>(a[i]) == std::bit_cast<std::uint32_t>(b[i])) continue;
    // Not "further away": a NaN is of any distance.
    if (bound > 0.0 && std::abs(double{a[i]} - b[i]) <= bound + relative * std::abs(double{b[i]}))
      continue;
    ADD_FAILURE() << "element " << i << ": expected " << b[i] << ", found " << a[i];
    return;
  }
}

// A kernel is of additions, multiplications, divisions, square roots and std::fma in one order,
// which neither compiler may change or contract (-fmad=false, -ffp-contract=off): the host's bits
// are the GPU's. The exponentials and logarithms of their libraries differ in the last ones.
class GpuKernels : public testing::Test {
 protected:
  static constexpr double kLibraries = 2e-6;

  void SetUp() override {
    if (const std::string obstacle = device_obstacle(0); !obstacle.empty()) {
      GTEST_SKIP() << obstacle;
    }
    runtime_ = make_cuda_runtime(0);
    stream_ = Stream(*runtime_, runtime_->create_stream("kernels"));
  }

  // make(arrays) returns kernels, to be run one after the other. They leave on the GPU what they
  // leave on the host, where each thread is run by itself.
  template <class Make>
  void expect_the_same(const Make& make, double bound = 0.0) {
    Arrays expected;
    for (const Kernel& kernel : make(expected)) {
      std::visit([](const auto& k) { test::emulate(k); }, kernel);
    }
    Arrays found(*runtime_, stream_.get());
    for (const Kernel& kernel : make(found)) {
      const auto* small = std::get_if<SmallTraining>(&kernel);
      if (small != nullptr) ASSERT_TRUE(runtime_->prepare(*small));
      runtime_->launch(kernel, stream_.get());
    }
    found.fetch();
    for (std::size_t a = 0; a < expected.all().size(); ++a) {
      SCOPED_TRACE("array " + std::to_string(a));
      if (expected.all()[a].numbers == Arrays::Numbers::kReadOnly) continue;
      expect_equal(found.all()[a], expected.all()[a], bound);
    }
  }
  using Kernels = std::vector<Kernel>;

 private:
  std::unique_ptr<Runtime> runtime_;
  Stream stream_;
};

TEST_F(GpuKernels, Gather) {
  constexpr std::uint32_t kRows = 50;
  for (const std::uint32_t features : {52U, 50U}) {  // whole words, and single bytes
    const std::vector<float> wide = numbers(std::size_t{kRows} * features, 1);
    std::vector<std::uint8_t> bytes(wide.size());
    std::transform(wide.begin(), wide.end(), bytes.begin(),
                   [](float x) { return static_cast<std::uint8_t>(128.0F + 100.0F * x); });
    for (const ElementType type : kTypes) {
      expect_the_same([&](Arrays& a) {
        const auto to = [&] { return a.output(unset(std::size_t{40} * 64), type); };
        return Kernels{Gather{a.input(wide), false, nullptr, 37, 40, features, 64, 0.3F, to()},
                       Gather{a.input(bytes), true, a.input(std::vector<std::uint32_t>(37, 49)), 37,
                              40, features, 64, 1.0F / 255.0F, to()}};
      });
    }
  }
}

constexpr std::uint32_t kRows = 1100;  // several for each thread of any kernel
constexpr std::uint32_t kWidth = 48;   // columns of several blocks
constexpr std::size_t kSize = std::size_t{kRows} * kWidth;

TEST_F(GpuKernels, ElementByElement) {
  const std::vector<StepConstants> step(1, {{}, 17});
  for (const ElementType type : kTypes) {
    expect_the_same([&](Arrays& a) {
      const Elements y = a.output(numbers(kSize, 1), type);
      float* const sum = a.output(numbers(kSize, 2));
      return Kernels{BiasRelu{y, a.output(numbers(kWidth, 3), type), kRows, kWidth, true},
                     Dropout{y, {a.input(step), 5, 1, 3, 16384, 4.0F / 3.0F}, kRows, kWidth},
                     AddGradient{a.input(numbers(kSize, 4)), sum, kSize, true},
                     CopyElements{sum, a.output(unset(kSize), type), kSize}};
    });
  }
}

TEST_F(GpuKernels, Activate) {
  for (const ElementType type : kTypes) {
    for (const Activation kind : {Activation::kRelu, Activation::kGelu, Activation::kTanh,
                                  Activation::kSigmoid, Activation::kLeakyRelu}) {
      SCOPED_TRACE(name_of(kind));
      expect_the_same(
          [&](Arrays& a) {
            const Elements y = a.output(numbers(kSize, 1), type);
            return Kernels{
                Activate{y, y, a.output(unset(kSize), type), kRows, 43, kWidth, kind, {}, {}}};
          },
          kLibraries);
    }
  }
}

TEST_F(GpuKernels, ActivationGradientAndPartSums) {
  for (const ElementType type : kTypes) {
    for (const int kind : {0, 1, 2}) {  // without an activation, of a ReLU, of another one
      SCOPED_TRACE(kind);
      expect_the_same([&](Arrays& a) {
        OutputGradient gradient{a.output(numbers(kSize, 1), type), {}, {}, 1.25F};
        if (kind != 0) gradient.y = a.output(numbers(kSize, 2), type);
        if (kind == 2) gradient.slopes = a.output(numbers(kSize, 3), type);
        float* const parts = a.output(unset(std::size_t{ActivationGradient::kParts} * kWidth));
        return Kernels{ActivationGradient{gradient, parts, kRows, kWidth},
                       PartSums{parts, a.output(unset(kWidth)), kWidth}};
      });
    }
  }
}

TEST_F(GpuKernels, NormStatisticsAndNormGradientSums) {
  for (const ElementType type : kTypes) {
    for (const std::uint32_t rows : {1U, 75U}) {
      const std::size_t size = std::size_t{rows} * kWidth;
      expect_the_same([&](Arrays& a) {
        const Elements z = a.output(numbers(size, 1), type);
        const Elements y = a.output(unset(size), type);
        float* const mean = a.output(unset(kWidth));
        float* const inverse = a.output(unset(kWidth));
        float* const of_factor = a.output(unset(kWidth));
        float* const of_shift = a.output(unset(kWidth));
        const Normalise norm{mean, nullptr, inverse, a.input(positive(kWidth, 2)),
                             a.input(numbers(kWidth, 3))};
        const OutputGradient gradient{a.output(numbers(size, 4), type), y, {}, 1.0F};
        return Kernels{
            NormStatistics{z, rows, kWidth, mean, inverse, a.output(numbers(kWidth, 5)),
                           a.output(positive(kWidth, 6))},
            Activate{z, y, {}, rows, kWidth, kWidth, Activation::kRelu, {}, norm},
            NormGradientSums{gradient, z, mean, inverse, of_factor, of_shift, rows, kWidth},
            NormGradient{gradient, z, norm, of_factor, of_shift, rows, kWidth}};
      });
    }
  }
}

TEST_F(GpuKernels, SquareSumsAndClipFactor) {
  const std::vector<float> gradient = numbers(200000, 1);  // several for each thread
  for (const float norm : {1.0F, 1e6F}) {
    expect_the_same([&](Arrays& a) {
      auto* const sums = a.output(std::vector<double>(SquareSums::kBlocks, std::nan("")));
      return Kernels{SquareSums{a.input(gradient), gradient.size(), sums},
                     ClipFactor{sums, norm, a.output(unset(1))}};
    });
  }
}

TEST_F(GpuKernels, OptimizerUpdate) {
  using Kind = OptimizerSpec::Kind;
  for (const Kind kind : {Kind::kSgd, Kind::kNesterov, Kind::kAdam, Kind::kAdamW}) {
    for (const bool bare : {false, true}) {
      SCOPED_TRACE(name_of(kind));
      OptimizerSpec spec;
      spec.kind = kind;
      spec.momentum = bare ? 0.0F : 0.9F;
      spec.weight_decay = 0.1F;
      spec.ema = bare ? 0.0F : 0.9F;
      const std::vector<StepConstants> step(1, {optimizer_step(spec, 5), 5});
      expect_the_same([&](Arrays& a) {
        OptimizerUpdate update;
        update.weights = a.output(numbers(kSize, 1));
        update.gradient = a.input(numbers(kSize, 2));
        if (!bare) update.clip = a.input(std::vector<float>{0.7F});
        if (spec.adaptive() || !bare) update.first = a.output(numbers(kSize, 3));
        if (spec.adaptive()) update.second = a.output(positive(kSize, 4));
        if (!bare) update.average = a.output(numbers(kSize, 5));
        if (!bare) update.rounded = a.output(unset(kSize), ElementType::kBFloat16);
        update.step = a.input(step);
        update.begin = 16;
        update.trained = kSize - 64;
        update.end = kSize - 32;
        return Kernels{update};
      });
    }
  }
}

TEST_F(GpuKernels, SoftmaxLoss) {
  constexpr std::uint32_t kEach = 155;
  constexpr std::uint32_t kClasses = 43;  // more than a warp's threads
  std::vector<std::int32_t> labels(kEach);
  std::vector<std::uint32_t> indices(kEach);
  for (std::uint32_t i = 0; i < kEach; ++i) {
    labels[i] = static_cast<std::int32_t>(i * 7 % kClasses);
    indices[i] = kEach - 1 - i;
  }
  for (const ElementType type : kTypes) {
    for (const float smoothing : {0.0F, 0.1F}) {
      expect_the_same(
          [&](Arrays& a) {
            return Kernels{SoftmaxLoss{
                a.input(numbers(std::size_t{kEach} * kWidth, 1)), a.input(labels), a.input(indices),
                kEach - 5, kEach, kClasses, kWidth,
                a.output(unset(std::size_t{kEach} * kWidth), type), a.output(unset(kEach - 5)),
                a.output(std::vector<std::uint8_t>(kEach - 5, 77)), smoothing, 100}};
          },
          kLibraries);
    }
  }
}

TEST_F(GpuKernels, TargetLoss) {
  constexpr std::uint32_t kEach = 155;
  constexpr std::uint32_t kTargets = 43;  // more than a warp's threads
  std::vector<std::int32_t> words;
  for (const float target : numbers(std::size_t{kEach} * kTargets, 2)) {
    words.push_back(std::bit_cast<std::int32_t>(3.0F * target));
  }
  std::vector<std::uint32_t> indices(kEach);
  for (std::uint32_t i = 0; i < kEach; ++i) indices[i] = kEach - 1 - i;
  std::vector<TargetScale> scales;
  for (const float deviation : positive(kTargets, 3)) scales.push_back({0.3F, deviation});
  for (const ElementType type : kTypes) {
    for (const Loss loss :
         {Loss::kSquaredError, Loss::kAbsoluteError, Loss::kHuber, Loss::kBinaryCrossEntropy}) {
      for (const bool scaled : {false, true}) {
        expect_the_same([&](Arrays& a) {
          return Kernels{TargetLoss{a.input(numbers(std::size_t{kEach} * kWidth, 1)),
                                    a.input(words), a.input(indices), kEach - 5, kEach, kTargets,
                                    kWidth, a.output(unset(std::size_t{kEach} * kWidth), type),
                                    a.output(unset(kEach - 5)), a.output(unset(kEach - 5)), 100,
                                    loss, scaled ? a.input(scales) : nullptr}};
        });
      }
    }
  }
}

TEST_F(GpuKernels, MetricsSumsAndHandOverSums) {
  constexpr std::uint32_t kEach = 3000;
  std::vector<float> losses = positive(kEach, 1);
  std::vector<std::uint8_t> correct(kEach);
  for (std::size_t i = 0; i < kEach; ++i) correct[i] = i % 3 == 0 ? 1 : 0;
  for (const bool finite : {true, false}) {
    if (!finite) losses[1717] = losses[2500] = std::numeric_limits<float>::infinity();
    expect_the_same([&](Arrays& a) {
      auto* const sums = a.output(std::vector<DeviceMetrics>{{1.5, 2, 3, 4, 0, 2.5}});
      const auto* const of_rows = a.input(losses);
      const auto* const judgements = a.input(correct);
      return Kernels{
          MetricsSums{of_rows, judgements, kEach, 8, sums},
          HandOverSums{sums, a.pinned_output(std::vector<DeviceMetrics>{{9.0, 9, 9, 9, 9, 9.0}})},
          MetricsSums{of_rows + 100, judgements + 100, kEach - 100, 0, sums},
          MetricsSums{of_rows, nullptr, kEach, 8, sums, of_rows}};
    });
  }
}

TEST_F(GpuKernels, CopyArrays) {
  expect_the_same([](Arrays& a) {
    CopyArrays copy;
    std::uint8_t value = 0;
    const std::size_t sizes[] = {5000, 1, 17};
    for (std::uint32_t i = 0; i < CopyArrays::kMost; ++i) {
      std::vector<std::uint8_t> bytes(sizes[i]);
      for (std::uint8_t& byte : bytes) byte = value = static_cast<std::uint8_t>(value + 7);
      // What lies beyond stays.
      const std::vector<std::uint8_t> before(sizes[i] + 32, 0x55);
      copy.arrays[i] = {a.input(bytes), a.output(before), bytes.size()};
    }
    return Kernels{copy};
  });
}

// Steps go on from what the libraries' last bits made of the ones before.
TEST_F(GpuKernels, SmallTraining) {
  struct Widths {
    std::uint32_t features, hidden, outputs;
  };
  for (const Widths& widths : {Widths{48, 32, 16}, Widths{32, 64, 16}, Widths{64, 48, 32}}) {
    for (const std::uint32_t batch : {7U, 40U}) {
      SCOPED_TRACE(std::to_string(widths.hidden) + " wide, batch " + std::to_string(batch));
      expect_the_same(
          [&](Arrays& a) {
            return Kernels{
                test::small_problem(widths.features, widths.hidden, widths.outputs, batch, a)};
          },
          1e-5);
    }
  }
}

}  // namespace
}  // namespace millrace::cuda
