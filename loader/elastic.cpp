#include "loader/elastic.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "formats/exact_math.h"
#include "formats/philox.h"

#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#endif

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "loader/elastic.cpp"
#include "hwy/foreach_target.h"

// After foreach_target, which includes this file once for each instruction set.
#include "hwy/highway.h"

#ifndef MILLRACE_ELASTIC_LAYOUT
#define MILLRACE_ELASTIC_LAYOUT
namespace millrace {
namespace {

constexpr std::size_t kBlockColumns = 16;
constexpr std::size_t kBlockDraws = 8;    // of 16 bits in a block of Philox
constexpr std::size_t kBlocksAtOnce = 8;  // whatever the instruction set: it decides their order
constexpr std::uint32_t kStream = 0x656c0000;  // the number of the block is added: below 2^18

}  // namespace
}  // namespace millrace
#endif

HWY_BEFORE_NAMESPACE();
namespace millrace::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Draws for the whole grid: odd numbers, so that they are as often above as below zero.
void Draw(Philox::Key key, std::uint64_t epoch, std::uint64_t id, std::size_t blocks,
          std::int16_t* draws) {
#if HWY_TARGET == HWY_SCALAR
  for (std::size_t b = 0; b < blocks; ++b) {
    const auto words =
        Philox::generate({static_cast<std::uint32_t>(id), kStream + static_cast<std::uint32_t>(b),
                          static_cast<std::uint32_t>(id >> 32U), static_cast<std::uint32_t>(epoch)},
                         key);
    for (std::size_t w = 0; w < 4; ++w) {
      draws[2 * (w * blocks + b)] = static_cast<std::int16_t>(words[w] | 1U);
      draws[2 * (w * blocks + b) + 1] = static_cast<std::int16_t>(words[w] >> 16U | 1U);
    }
  }
#else
  const hn::CappedTag<std::uint64_t, kBlocksAtOnce> d;  // 32-bit words, one to a lane
  const hn::Rebind<std::uint32_t, decltype(d)> d32;
  const hn::Repartition<std::uint32_t, decltype(d)> d_halves;
  const hn::Repartition<std::int16_t, decltype(d32)> d16;
  const auto product = [&](std::uint32_t factor, hn::Vec<decltype(d)> word) HWY_ATTR {
    return hn::MulEven(hn::BitCast(d_halves, hn::Set(d, factor)), hn::BitCast(d_halves, word));
  };
  const auto odd = hn::Set(d, 0x00010001U);
  for (std::size_t b = 0; b < blocks; b += hn::Lanes(d)) {
    // What is above a word's 32 bits is never looked at.
    auto c0 = hn::Set(d, id);
    auto c1 = hn::Iota(d, kStream + b);
    auto c2 = hn::Set(d, id >> 32U);
    auto c3 = hn::Set(d, epoch);
    std::uint32_t k0 = key[0];
    std::uint32_t k1 = key[1];
    for (int round = 0; round < Philox::kRounds; ++round) {
      const auto p0 = product(Philox::kMultiplier0, c0);
      const auto p1 = product(Philox::kMultiplier1, c2);
      c0 = hn::Xor(hn::Xor(hn::ShiftRight<32>(p1), c1), hn::Set(d, k0));
      c1 = p1;
      c2 = hn::Xor(hn::Xor(hn::ShiftRight<32>(p0), c3), hn::Set(d, k1));
      c3 = p0;
      k0 += Philox::kWeyl0;
      k1 += Philox::kWeyl1;
    }
    const auto store = [&](hn::Vec<decltype(d)> word, std::size_t number) HWY_ATTR {
      hn::StoreU(hn::BitCast(d16, hn::TruncateTo(d32, hn::Or(word, odd))), d16,
                 draws + 2 * (number * blocks + b));
    };
    store(c0, 0);
    store(c1, 1);
    store(c2, 2);
    store(c3, 3);
  }
#endif
}

// Sums for 16 columns of the image, for `rows` rows of the grid, `columns` draws each.
void SumAcross(const std::int16_t* draws, std::size_t rows, std::size_t columns,
               const std::int16_t* weights, std::size_t count, std::int16_t* sums,
               std::size_t stride) {
  const hn::CappedTag<std::int16_t, kBlockColumns> d;
  for (std::size_t r = 0; r < rows; ++r) {
    const std::int16_t* row = draws + r * columns;
    for (std::size_t lane = 0; lane < kBlockColumns; lane += hn::Lanes(d)) {
      auto sum = hn::Zero(d);
      for (std::size_t k = 0; k < count; ++k) {
        const auto weight = hn::LoadU(d, weights + k * kBlockColumns + lane);
        sum = hn::Add(sum, hn::MulFixedPoint15(hn::Set(d, row[k]), weight));
      }
      hn::StoreU(sum, d, sums + r * stride + lane);
    }
  }
}

}  // namespace millrace::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace millrace {

HWY_EXPORT(Draw);
HWY_EXPORT(SumAcross);

namespace {

constexpr double kSpacing = 1.25;  // of the grid, in sigmas
constexpr std::size_t kTaps = Displacement::kTaps;
// Weights of a grid point's column or row: the Gaussian, 1 at its centre, times this. Those that
// meet in a pixel add up to 2.006 of it, so sums of whole draws stay in 16 bits.
constexpr double kPeak = 32767.0 / 32768.0 / 2.012;

// The first of the grid points that move pixel i; point 0 lies 2 spacings before pixel 0.
std::uint32_t first_point(std::size_t i, double spacing) {
  return static_cast<std::uint32_t>(static_cast<double>(i) / spacing);
}

std::size_t point_count(std::size_t pixels, double spacing) {
  return first_point(pixels - 1, spacing) + kTaps;
}

std::array<std::int16_t, kTaps> weights_of(std::size_t i, double spacing) {
  std::array<std::int16_t, kTaps> weights{};
  const std::uint32_t first = first_point(i, spacing);
  for (std::size_t t = 0; t < kTaps; ++t) {
    const double away =
        (static_cast<double>(i) / spacing - (static_cast<double>(first + t) - 2.0)) * kSpacing;
    weights[t] =
        static_cast<std::int16_t>(std::lround(32768.0 * kPeak * exponential(-away * away / 2)));
  }
  return weights;
}

std::size_t padded(std::size_t count, std::size_t unit) { return (count + unit - 1) / unit * unit; }

}  // namespace

ElasticField::ElasticField(float alpha, float sigma, std::size_t height, std::size_t width)
    : height_(height), width_(width) {
  const double spacing = kSpacing * double{sigma};
  rows_ = point_count(height, spacing);
  columns_ = point_count(width, spacing);
  draw_blocks_ = padded((2 * rows_ * columns_ + kBlockDraws - 1) / kBlockDraws, kBlocksAtOnce);
  for (std::size_t y = 0; y < height; ++y) {
    taps_.push_back({first_point(y, spacing), weights_of(y, spacing)});
  }
  for (std::size_t begin = 0; begin < width; begin += kBlockColumns) {
    const std::size_t end = std::min(begin + kBlockColumns, width);
    Block block;
    block.first = first_point(begin, spacing);
    block.count = first_point(end - 1, spacing) + static_cast<std::uint32_t>(kTaps) - block.first;
    block.weights = static_cast<std::uint32_t>(weights_.size());
    weights_.resize(weights_.size() + block.count * kBlockColumns);
    for (std::size_t x = begin; x < end; ++x) {
      const auto weights = weights_of(x, spacing);
      for (std::size_t t = 0; t < kTaps; ++t) {
        const std::size_t k = first_point(x, spacing) + t - block.first;
        weights_[block.weights + k * kBlockColumns + (x - begin)] = weights[t];
      }
    }
    blocks_.push_back(block);
  }
  // One draw a spacing instead of one a pixel has the spacing's share of the variance in each
  // direction, which a factor of the spacing makes up for.
  const double gauss = 1.0 / (2.0 * std::numbers::pi * double{sigma} * double{sigma});
  const double pixels = double{alpha} * spacing * gauss / (kPeak * kPeak);  // for a sum of 2^15
  double factor = pixels * 65536.0 / 32768.0 * 2.0;
  while (shift_ < 30 && factor < 16384.0) {
    factor *= 2.0;
    ++shift_;
  }
  factor_ = static_cast<std::int32_t>(std::lround(factor));
}

std::size_t ElasticField::scratch() const noexcept {
  return draw_blocks_ * kBlockDraws + 2 * rows_ * padded(width_, kBlockColumns);
}

Displacement ElasticField::draw(std::uint64_t seed, std::uint64_t epoch, std::uint64_t id,
                                std::int16_t* scratch) const {
  HWY_DYNAMIC_DISPATCH(Draw)(Philox::key_of(seed), epoch, id, draw_blocks_, scratch);
  const std::size_t stride = padded(width_, kBlockColumns);
  std::int16_t* sums = scratch + draw_blocks_ * kBlockDraws;
  for (std::size_t b = 0; b < blocks_.size(); ++b) {
    const Block& block = blocks_[b];
    HWY_DYNAMIC_DISPATCH(SumAcross)
    (scratch + block.first, 2 * rows_, columns_, weights_.data() + block.weights, block.count,
     sums + b * kBlockColumns, stride);
  }
  return {sums, sums + rows_ * stride, stride, taps_.data(), factor_, shift_};
}

}  // namespace millrace
#endif
