#include "loader/augment.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <stdexcept>
#include <string>
#include <vector>

#include "formats/exact_math.h"
#include "formats/philox.h"
#include "loader/warp.h"

namespace millrace {
namespace {

constexpr std::uint32_t kStream = 0x61756720;  // and one for each further block of draws
// In fixed point a place has 15 bits before the dot. With these limits none is further out than
// 512 + 2 * 10 * (512 + 512) pixels, 10 being what a factor of 1 / (1 - 0.8) and a slant of 1 make,
// and the 800 of an elastic field.
constexpr std::uint64_t kLongestSide = 1024;
constexpr AugmentSpec kMost{180.0F, 512.0F, 0.8F, 45.0F};

void check_limit(const char* what, float value, float most, float least = 0.0F) {
  if (value >= least && value <= most) return;
  std::array<char, 160> line{};
  std::snprintf(line.data(), line.size(), "%s: expected a number from %g to %g, found %g", what,
                static_cast<double>(least), static_cast<double>(most), static_cast<double>(value));
  throw std::invalid_argument(line.data());
}

std::int32_t fixed(double value) { return static_cast<std::int32_t>(std::lround(value * 65536.0)); }

}  // namespace

Augmenter::Augmenter(const AugmentSpec& spec, const SampleShape& shape, DType dtype,
                     std::uint64_t seed)
    : spec_(spec), seed_(seed) {
  const auto layout = image_layout_of(shape);
  if (dtype != DType::kUInt8 || !layout || layout->height > kLongestSide ||
      layout->width > kLongestSide) {
    throw std::invalid_argument(
        "augmentation: expected images, uint8 [height, width], [height, width, 1 or 3] or [1 or 3, "
        "height, width] of sides of at most 1024, found samples of " +
        shape.text() + " " + std::string(name_of(dtype)) + std::string(flat_hint(shape)));
  }
  layout_ = *layout;
  check_limit("--rotate", spec.rotate, kMost.rotate);
  check_limit("--shift", spec.shift, kMost.shift);
  check_limit("--scale", spec.scale, kMost.scale);
  check_limit("--shear", spec.shear, kMost.shear);
  if (spec.elastic == 0.0F) return;
  check_limit("--elastic-sigma", spec.elastic_sigma, ElasticField::kMostSigma,
              ElasticField::kLeastSigma);
  check_limit("--elastic", spec.elastic, ElasticField::kMostAlphaBySigma * spec.elastic_sigma);
  elastic_.emplace(spec.elastic, spec.elastic_sigma, layout_.height, layout_.width);
}

void Augmenter::apply(std::uint64_t epoch, std::span<const std::uint64_t> ids,
                      std::span<std::byte> samples) const {
  const std::size_t height = layout_.height;
  const std::size_t width = layout_.width;
  const std::size_t channels = layout_.channels;
  std::vector<std::uint32_t> scratch(warp_scratch(height, width));
  std::vector<std::int16_t> field(elastic_ ? elastic_->scratch() : 0);
  const std::size_t bytes = height * width * channels;
  const double x_middle = (static_cast<double>(width) - 1.0) / 2.0;
  const double y_middle = (static_cast<double>(height) - 1.0) / 2.0;
  constexpr double kRadians = std::numbers::pi / 180.0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    std::array<double, 8> draws{};  // each in (-1, 1)
    for (std::uint32_t block = 0; block < 2; ++block) {
      const auto words = Philox::generate(
          {static_cast<std::uint32_t>(ids[i]), kStream + block,
           static_cast<std::uint32_t>(ids[i] >> 32U), static_cast<std::uint32_t>(epoch)},
          Philox::key_of(seed_));
      for (std::size_t w = 0; w < 4; ++w) {
        draws[block * 4 + w] = (static_cast<double>(words[w]) + 0.5) / 2147483648.0 - 1.0;
      }
    }
    const double angle = draws[0] * spec_.rotate * kRadians;
    const double lean = draws[1] * spec_.shear * kRadians;
    const double slant = sine(lean) / cosine(lean);
    const double smaller = 1.0 / (1.0 + draws[2] * spec_.scale);
    const double x_shift = draws[3] * spec_.shift;
    const double y_shift = draws[4] * spec_.shift;
    // From a pixel of the result back to the sample: unshifted, turned back, unslanted, rescaled.
    const double c = cosine(angle) * smaller;
    const double s = sine(angle) * smaller;
    const double ux = c - slant * s;
    const double uy = s + slant * c;
    const double vx = -s;
    const double vy = c;
    const double x_from = -x_middle - x_shift;
    const double y_from = -y_middle - y_shift;
    AffineMap map;
    map.ux = fixed(ux);
    map.uy = fixed(uy);
    map.vx = fixed(vx);
    map.vy = fixed(vy);
    map.u0 = fixed(x_middle + ux * x_from + uy * y_from);
    map.v0 = fixed(y_middle + vx * x_from + vy * y_from);
    auto* image = reinterpret_cast<std::uint8_t*>(samples.data() + i * bytes);
    Displacement displacement;
    if (elastic_) displacement = elastic_->draw(seed_, epoch, ids[i], field.data());
    for (std::size_t channel = 0; channel < channels; ++channel) {
      const Plane plane = layout_.planes ? Plane{image + channel * height * width, height, width, 1}
                                         : Plane{image + channel, height, width, channels};
      if (elastic_) {
        warp(plane, map, displacement, scratch.data());
      } else {
        warp(plane, map, scratch.data());
      }
    }
  }
}

}  // namespace millrace
