#include "formats/image_form.h"

#include <fmt/format.h>

#include "formats/error.h"

namespace millrace {
namespace {

std::string describe(ImageSize size) { return fmt::format("{}x{}", size.width, size.height); }

}  // namespace

void CommonImageForm::add(const ImageInfo& info, const std::string& name) {
  gray_ = gray_ && info.channels == 1;
  if (!size_) {
    size_ = info.size;
    first_ = name;
  }
  if (!asked_.resize && *size_ != info.size) {
    throw DataError(name, std::nullopt,
                    fmt::format("an image of {}, as {} is (--resize WxH makes all of one size)",
                                describe(*size_), first_),
                    describe(info.size));
  }
}

ImageOptions CommonImageForm::options() const {
  ImageOptions found = asked_;
  if (!found.resize) found.resize = size_;
  if (found.channels == ImageChannels::kAsStored) {
    found.channels = gray_ ? ImageChannels::kGray : ImageChannels::kRgb;
  }
  return found;
}

}  // namespace millrace
