#pragma once

#include <optional>
#include <string_view>

#include "formats/image.h"
#include "tools/console/command_line.h"

namespace millrace {

/// "WxH" in pixels, each from 1 to 16384. Throws UsageError with "expected …, found …".
ImageSize parse_image_size(std::string_view text);

/// What --image-size, --resize, --gray and --rgb of a command say.
struct ImageArguments {
  std::optional<ImageSize> flat;
  std::optional<ImageSize> resize;
  bool gray = false;
  bool rgb = false;

  /// Throws UsageError for --gray with --rgb.
  ImageOptions options() const;
};

/// Declares the four; `arguments` outlives `line`.
void declare_images(CommandLine& line, ImageArguments& arguments);

}  // namespace millrace
