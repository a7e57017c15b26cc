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
    like_ = name + " is";
  }
  if (!asked_.resize && *size_ != info.size) {
    throw DataError(name, std::nullopt,
                    fmt::format("an image of {}, as {} (--resize WxH makes all of one size)",
                                describe(*size_), like_),
                    describe(info.size));
  }
  if (training_ && asked_.channels == ImageChannels::kAsStored && info.channels != 1 &&
      training_->channels == ImageChannels::kGray) {
    throw DataError(name, std::nullopt,
                    "a grey image, as the training images are (--gray or --rgb makes all of one "
                    "kind)",
                    "one in colour");
  }
}

ImageOptions CommonImageForm::options() const {
  if (training_) return *training_;
  ImageOptions found = asked_;
  if (!found.resize) found.resize = size_;
  if (found.channels == ImageChannels::kAsStored) {
    found.channels = gray_ ? ImageChannels::kGray : ImageChannels::kRgb;
  }
  return found;
}

}  // namespace millrace
