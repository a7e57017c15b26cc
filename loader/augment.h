#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "formats/dataset.h"
#include "formats/image_layout.h"
#include "loader/elastic.h"

namespace millrace {

/// Random distortion of images: an affine map, by the limits of uniform draws, angles in degrees;
/// and an elastic one.
struct AugmentSpec {
  float rotate = 0.0F;  ///< turned by up to this, either way
  float shift = 0.0F;   ///< moved by up to this many pixels, in each direction
  float scale = 0.0F;   ///< enlarged by a factor of 1 - scale to 1 + scale
  float shear = 0.0F;   ///< slanted by up to this

  float elastic = 0.0F;        ///< alpha of ElasticField, Simard's; not 0: distorted elastically
  float elastic_sigma = 4.0F;  ///< and its sigma, in pixels

  bool enabled() const noexcept {
    return rotate != 0.0F || shift != 0.0F || scale != 0.0F || shear != 0.0F || elastic != 0.0F;
  }
  bool operator==(const AugmentSpec&) const = default;
};

/// Distorts images in place. What becomes of a sample is a pure function of (seed, epoch, sample):
/// bilinear interpolation in whole numbers, the same bits on every processor, zero outside. Both
/// distortions are one interpolation: a pixel comes from where the affine map has it, displaced by
/// the elastic field in pixels of the sample.
class Augmenter {
 public:
  /// Throws std::invalid_argument for samples that are not uint8 images (image_layout_of) of sides
  /// of up to 1024, and for limits out of range: rotate up to 180, shift 512, scale 0.8, shear 45;
  /// those of ElasticField.
  Augmenter(const AugmentSpec& spec, const SampleShape& shape, DType dtype, std::uint64_t seed);

  /// samples: [ids.size(), …]. Any number of threads at once.
  void apply(std::uint64_t epoch, std::span<const std::uint64_t> ids,
             std::span<std::byte> samples) const;

 private:
  AugmentSpec spec_;
  std::uint64_t seed_;
  ImageLayout layout_;
  std::optional<ElasticField> elastic_;
};

}  // namespace millrace
