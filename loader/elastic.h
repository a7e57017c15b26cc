#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace millrace {

/// The displacement of each pixel of an image as warp() takes it: column x of row y is moved by
///
///     rounded(factor * sum / 2^shift),  sum = Σ_t rounded(taps[y].weights[t] * row[x] / 2^15)
///
/// in units of 2^-16 pixels, with row[x] = sums[(taps[y].first + t) * stride + x], which has the
/// fields of both directions. A view: ElasticField and a scratch hold what it shows.
struct Displacement {
  static constexpr std::size_t kTaps = 6;
  struct Taps {
    std::uint32_t first = 0;
    std::array<std::int16_t, kTaps> weights{};
  };

  const std::int16_t* x_sums = nullptr;  ///< of the displacement along a row
  const std::int16_t* y_sums = nullptr;  ///< and of the one across
  std::size_t stride = 0;
  const Taps* taps = nullptr;  ///< one for each row of the image
  std::int32_t factor = 0;
  int shift = 1;
};

/// The elastic distortions of Simard, Steinkraus and Platt, "Best practices for convolutional
/// neural networks applied to visual document analysis" (ICDAR 2003): a field of independent
/// displacements, uniform from -1 to 1 in each direction, is smoothed by a Gaussian of standard
/// deviation sigma, whose values add up to 1, and multiplied by alpha. So a pixel is moved by
/// alpha / (2 * sigma * sqrt(3 * pi)) pixels root mean square in each direction, and the movements
/// of pixels at distance d correlate by exp(-d² / (4 * sigma²)).
///
/// The independent displacements lie on a grid 1.25 * sigma wide rather than one in each pixel, and
/// beyond the edges too, so that the field is the same everywhere. A Gaussian leaves nothing of
/// what a grid that fine does not have: the variance ripples by 2 * exp(-pi² / 1.25²) = 0.4 %
/// between its points. For 28x28 pixels and sigma 4 that is 264 draws instead of 5408, and 6 taps
/// instead of 30. All of it is in 16-bit whole numbers, the same on every processor.
class ElasticField {
 public:
  static constexpr float kLeastSigma = 1.0F;
  static constexpr float kMostSigma = 128.0F;
  static constexpr float kMostAlphaBySigma = 1000.0F;  ///< a move of 800 pixels at the very most

  /// alpha from 0 to kMostAlphaBySigma * sigma; sides of 1 to 1024 pixels.
  ElasticField(float alpha, float sigma, std::size_t height, std::size_t width);

  /// 16-bit words that draw() wants.
  std::size_t scratch() const noexcept;
  /// The field of one sample, a pure function of the arguments. It lies in the scratch. Any number
  /// of threads at once, each with a scratch of its own.
  Displacement draw(std::uint64_t seed, std::uint64_t epoch, std::uint64_t id,
                    std::int16_t* scratch) const;

 private:
  std::size_t height_, width_;
  std::size_t rows_ = 0, columns_ = 0;  ///< of the grid
  std::size_t draw_blocks_ = 0;         ///< of Philox, 8 draws each
  std::vector<Displacement::Taps> taps_;
  // For every 16 columns of the image: weights of a run of grid columns, 16 for each.
  struct Block {
    std::uint32_t first = 0, count = 0, weights = 0;
  };
  std::vector<Block> blocks_;
  std::vector<std::int16_t> weights_;
  std::int32_t factor_ = 0;
  int shift_ = 1;
};

}  // namespace millrace
