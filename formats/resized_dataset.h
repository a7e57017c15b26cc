#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "formats/dataset.h"
#include "formats/image.h"
#include "formats/image_layout.h"
#include "formats/made_dataset.h"

namespace millrace {

/// The images of another data set in another size or with other channels, made as they are read by
/// what decode_image does to the images of a folder: the same pixels give the same samples.
///
/// Samples keep the layout they are stored in, [h, w], [h, w, 1], [h, w, 3], [1, h, w] or
/// [3, h, w], with another h and w; where grey becomes RGB they are [h, w, 3], where RGB becomes
/// grey [h, w].
class ResizedDataset final : public MadeDataset {
 public:
  /// `data` itself where it is what was asked for already, and in the same blocks (BlockDataset)
  /// where it is in blocks. Throws DataError naming it where its
  /// samples are not uint8 images (image_layout_of) and anything was asked for,
  /// std::invalid_argument for a size as decode_image does.
  static std::shared_ptr<const Dataset> as_asked(std::shared_ptr<const Dataset> data,
                                                 const ImageOptions& options);

  const SampleShape& shape() const noexcept override { return shape_; }
  DType dtype() const noexcept override { return DType::kUInt8; }
  void make(std::span<const std::byte> stored, std::span<std::byte> samples) const override;

 private:
  ResizedDataset(std::shared_ptr<const Dataset> data, ImageLayout layout,
                 const ImageOptions& options, SampleShape shape);
  void make_one(std::span<const std::byte> stored, std::span<std::byte> sample) const;

  ImageLayout layout_;  // of what is stored
  ImageOptions options_;
  SampleShape shape_;
};

/// What the samples of a data set that as_asked() made are made of; null for any other.
const Dataset* stored_of(const Dataset& data) noexcept;

}  // namespace millrace
