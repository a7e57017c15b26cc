// Batch normalisation's kernels, run by as many threads as a device has: against loops in double
// precision, and gradients against finite differences of those.

#include "compute/cuda/norm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "compute/cuda/kernel.h"
#include "tests/compute/cuda/emulated_device.h"
#include "tests/support/reference_mlp.h"

namespace millrace::cuda {
namespace {

using test::emulate;

constexpr std::uint32_t kWidth = 13;
constexpr std::uint32_t kPadded = 16;

// Numbers as device memory has them.
class Buffer {
 public:
  Buffer(std::size_t size, ElementType type) : words_(size), type_(type) {}
  Elements view() { return {words_.data(), type_}; }
  double at(std::size_t i) { return double{view().load(i)}; }

 private:
  std::vector<std::uint32_t> words_;  // the allocator aligns to 16 bytes
  ElementType type_;
};

struct Layer {
  Layer(std::uint32_t of_rows, ElementType type)
      : rows(of_rows),
        z(std::size_t{of_rows} * kPadded, type),
        y(std::size_t{of_rows} * kPadded, type),
        slopes(std::size_t{of_rows} * kPadded, type),
        dy(std::size_t{of_rows} * kPadded, type) {
    for (std::uint32_t r = 0; r < rows; ++r) {
      for (std::uint32_t c = 0; c < kWidth; ++c) {
        const auto i = static_cast<float>(r * kPadded + c);
        z.view().store(r * kPadded + c,
                       3.0F + 2.0F * std::sin(1.7F * i) + 0.1F * static_cast<float>(c));
        dy.view().store(r * kPadded + c, std::cos(2.3F * i));
      }
    }
    for (std::uint32_t c = 0; c < kWidth; ++c) {
      factor[c] = 0.5F + 0.1F * static_cast<float>(c);
      shift[c] = 0.3F - 0.05F * static_cast<float>(c);
      running_mean[c] = 0.25F * static_cast<float>(c);
      running_variance[c] = 1.0F + 0.5F * static_cast<float>(c);
    }
  }

  Normalise batch_norm() const {
    return {mean.data(), nullptr, inverse.data(), factor.data(), shift.data()};
  }
  void forward(Activation kind) {
    emulate(NormStatistics{z.view(), rows, kPadded, mean.data(), inverse.data(),
                           running_mean.data(), running_variance.data()});
    emulate(Activate{z.view(), y.view(), kind == Activation::kRelu ? Elements{} : slopes.view(),
                     rows, kWidth, kPadded, kind, Keeping{}, batch_norm()});
  }

  std::uint32_t rows;
  Buffer z, y, slopes, dy;
  std::vector<float> factor = std::vector<float>(kPadded);
  std::vector<float> shift = factor;
  std::vector<float> running_mean = factor;
  std::vector<float> running_variance = factor;
  std::vector<float> mean = std::vector<float>(kPadded, std::nanf(""));
  std::vector<float> inverse = mean;
  std::vector<float> factor_gradient = mean;
  std::vector<float> shift_gradient = mean;
};

// One column in double precision.
struct Column {
  std::vector<double> z, weights;
  double factor = 0.0;
  double shift = 0.0;

  double mean() const {
    double sum = 0.0;
    for (const double x : z) sum += x;
    return sum / static_cast<double>(z.size());
  }
  double squares() const {
    double sum = 0.0;
    for (const double x : z) sum += (x - mean()) * (x - mean());
    return sum;
  }
  double output(std::size_t r, Activation kind) const {
    const double variance = squares() / static_cast<double>(z.size());
    const double x = (z[r] - mean()) / std::sqrt(variance + double{kNormEpsilon});
    return millrace::test::activated(kind, factor * x + shift);
  }
  double weighted(Activation kind) const {
    double sum = 0.0;
    for (std::size_t r = 0; r < z.size(); ++r) sum += weights[r] * output(r, kind);
    return sum;
  }
  // Of weighted() by one of this column's numbers.
  double slope(double& number, Activation kind) {
    const double kept = number;
    constexpr double kStep = 1e-5;
    number = kept + kStep;
    const double above = weighted(kind);
    number = kept - kStep;
    const double below = weighted(kind);
    number = kept;
    return (above - below) / (2.0 * kStep);
  }
};

Column column_of(Layer& layer, std::uint32_t c) {
  Column column;
  for (std::uint32_t r = 0; r < layer.rows; ++r) {
    column.z.push_back(layer.z.at(r * kPadded + c));
    column.weights.push_back(layer.dy.at(r * kPadded + c));
  }
  column.factor = double{layer.factor[c]};
  column.shift = double{layer.shift[c]};
  return column;
}

TEST(NormKernels, NormaliseByTheBatchAndFollowIt) {
  for (const std::uint32_t rows : {1U, 2U, 31U, 32U, 33U, 200U}) {
    for (const auto type : {ElementType::kFloat32, ElementType::kBFloat16}) {
      Layer layer(rows, type);
      const Layer before = layer;
      layer.forward(Activation::kTanh);
      const double bound = type == ElementType::kFloat32 ? 1e-5 : 8e-3;
      for (std::uint32_t c = 0; c < kWidth; ++c) {
        const Column column = column_of(layer, c);
        for (std::uint32_t r = 0; r < rows; ++r) {
          EXPECT_NEAR(layer.y.at(r * kPadded + c), column.output(r, Activation::kTanh), bound);
        }
        // Of one row there is no variance.
        const double share = rows > 1 ? 0.1 : 0.0;
        const double sample = rows > 1 ? column.squares() / (rows - 1.0) : 0.0;
        EXPECT_NEAR(layer.running_mean[c],
                    (1.0 - share) * before.running_mean[c] + share * column.mean(), 1e-5);
        EXPECT_NEAR(layer.running_variance[c],
                    (1.0 - share) * before.running_variance[c] + share * sample, 1e-5);
      }
      for (std::uint32_t r = 0; r < rows; ++r) {
        for (std::uint32_t c = kWidth; c < kPadded; ++c) {
          EXPECT_EQ(layer.y.at(r * kPadded + c), 0.0);
        }
      }
      EXPECT_EQ(layer.running_variance[kWidth], 0.0F);
    }
  }
}

TEST(NormKernels, GradientsAreThoseOfFiniteDifferences) {
  for (const std::uint32_t rows : {2U, 5U, 40U}) {
    for (const Activation kind : {Activation::kRelu, Activation::kTanh, Activation::kGelu}) {
      for (const auto type : {ElementType::kFloat32, ElementType::kBFloat16}) {
        SCOPED_TRACE(std::string(name_of(kind)) + ", rows " + std::to_string(rows));
        Layer layer(rows, type);
        std::vector<Column> columns;
        for (std::uint32_t c = 0; c < kWidth; ++c) columns.push_back(column_of(layer, c));
        layer.forward(kind);
        const bool relu = kind == Activation::kRelu;
        const OutputGradient gradient{layer.dy.view(), layer.y.view(),
                                      relu ? Elements{} : layer.slopes.view(), 1.0F};
        emulate(NormGradientSums{gradient, layer.z.view(), layer.mean.data(), layer.inverse.data(),
                                 layer.factor_gradient.data(), layer.shift_gradient.data(), rows,
                                 kPadded});
        emulate(NormGradient{gradient, layer.z.view(), layer.batch_norm(),
                             layer.factor_gradient.data(), layer.shift_gradient.data(), rows,
                             kPadded});
        const double bound = type == ElementType::kFloat32 ? 2e-4 : 4e-2;
        for (std::uint32_t c = 0; c < kWidth; ++c) {
          Column& column = columns[c];
          const double size = std::sqrt(static_cast<double>(rows));
          EXPECT_NEAR(layer.factor_gradient[c], column.slope(column.factor, kind), bound * size);
          EXPECT_NEAR(layer.shift_gradient[c], column.slope(column.shift, kind), bound * size);
          for (std::uint32_t r = 0; r < rows; ++r) {
            EXPECT_NEAR(layer.dy.at(r * kPadded + c), column.slope(column.z[r], kind), bound)
                << "row " << r << ", column " << c;
          }
        }
        for (std::uint32_t r = 0; r < rows; ++r) {
          EXPECT_EQ(layer.dy.at(r * kPadded + kWidth), 0.0);
        }
        EXPECT_EQ(layer.factor_gradient[kWidth], 0.0F);
        EXPECT_EQ(layer.shift_gradient[kWidth], 0.0F);
      }
    }
  }
}

TEST(NormKernels, EvaluationGoesByTheRunningStatistics) {
  Layer layer(3, ElementType::kFloat32);
  const Normalise norm{layer.running_mean.data(), layer.running_variance.data(), nullptr,
                       layer.factor.data(), layer.shift.data()};
  // In place, as an evaluation has it.
  Column column = column_of(layer, 5);
  emulate(Activate{layer.z.view(), layer.z.view(), Elements{}, 3, kWidth, kPadded,
                   Activation::kLeakyRelu, Keeping{}, norm});
  for (std::uint32_t r = 0; r < 3; ++r) {
    const double x = (column.z[r] - double{layer.running_mean[5]}) /
                     std::sqrt(double{layer.running_variance[5]} + double{kNormEpsilon});
    EXPECT_NEAR(layer.z.at(r * kPadded + 5),
                millrace::test::activated(Activation::kLeakyRelu, column.factor * x + column.shift),
                1e-5);
  }
}

}  // namespace
}  // namespace millrace::cuda
