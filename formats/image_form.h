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

  /// False if all was asked for: no header needs to be read.
  bool wants_headers() const noexcept {
    return !asked_.resize || asked_.channels == ImageChannels::kAsStored;
  }
  /// The next image. Throws DataError naming it and the first if they are of different sizes and no
  /// size was asked for.
  void add(const ImageInfo& info, const std::string& name);
  /// Size and channels are given. Precondition: add() was called, or !wants_headers().
  ImageOptions options() const;

 private:
  ImageOptions asked_;
  std::optional<ImageSize> size_;  // of the first
  std::string first_;
  bool gray_ = true;
};

}  // namespace millrace
