#pragma once

#include <optional>
#include <string>

#include "formats/image.h"

namespace millrace {

/// What all images of a data set are decoded to, where not all of it was asked for: found by their
/// headers. Their one size; grey if all are, else RGB.
class CommonImageForm {
 public:
  explicit CommonImageForm(const ImageOptions& asked) : asked_(asked) {}
  /// Of test images to training images of the form `training`, which options() gives whatever is
  /// added: grey images are widened to RGB, others must fit. `asked`: what was asked for of both.
  CommonImageForm(const ImageOptions& asked, const ImageOptions& training)
      : asked_(asked),
        size_(training.resize),
        like_("the training images are"),
        training_(training) {}

  /// False if all was asked for: no header needs to be read.
  bool wants_headers() const noexcept {
    return !asked_.resize || asked_.channels == ImageChannels::kAsStored;
  }
  /// The next image. Throws DataError naming it and the first (or the training images) if they are
  /// of different sizes and no size was asked for; or if it has colour, the training images have
  /// none and neither was asked for.
  void add(const ImageInfo& info, const std::string& name);
  /// Size and channels are given. Precondition: add() was called, !wants_headers(), or it is
  /// the form of test images.
  ImageOptions options() const;

 private:
  ImageOptions asked_;
  std::optional<ImageSize> size_;  // of the first
  std::string like_;               // "train/1.png is": whose size that is
  std::optional<ImageOptions> training_;
  bool gray_ = true;
};

}  // namespace millrace
