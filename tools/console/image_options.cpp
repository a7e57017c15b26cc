#include "tools/console/image_options.h"

#include "tools/console/numbers.h"
#include "tools/console/usage_error.h"

namespace millrace {

ImageSize parse_image_size(std::string_view text) {
  constexpr std::uint64_t kMostSide = 16'384;  // squared: kMostPixels
  const auto cross = text.find('x');
  try {
    if (cross != std::string_view::npos) {
      return {static_cast<std::uint32_t>(parse_whole(text.substr(0, cross), 1, kMostSide)),
              static_cast<std::uint32_t>(parse_whole(text.substr(cross + 1), 1, kMostSide))};
    }
  } catch (const UsageError&) {  // told below, with the whole value
  }
  throw UsageError("expected WxH with numbers from 1 to 16384, found " + shown(text));
}

ImageOptions ImageArguments::options() const {
  if (gray && rgb) throw UsageError("--gray and --rgb: expected one of them, found both");
  return {.flat = flat,
          .resize = resize,
          .channels = gray  ? ImageChannels::kGray
                      : rgb ? ImageChannels::kRgb
                            : ImageChannels::kAsStored};
}

void declare_images(CommandLine& line, ImageArguments& arguments) {
  line.value(
      "--image-size", "WxH",
      "the samples of a table or of flat arrays are images\nof this size, grey or RGB [flat]",
      [&arguments](const std::string& text) { arguments.flat = parse_image_size(text); });
  line.value("--resize", "WxH",
             "stretch images to this size, in files or in arrays\nof uint8 [as they are]",
             [&arguments](const std::string& text) { arguments.resize = parse_image_size(text); });
  line.flag("--gray", "make images grey", arguments.gray);
  line.flag("--rgb", "make images RGB [grey if all are, else RGB]", arguments.rgb);
}

}  // namespace millrace
