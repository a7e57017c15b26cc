#include "tools/console/image_options.h"

#include <gtest/gtest.h>

#include "tests/tools/usage_error.h"

namespace millrace {
namespace {

using test::usage_error_of;

TEST(ImageOptions, SizesHaveWidthAndHeight) {
  EXPECT_EQ(parse_image_size("64x48"), (ImageSize{64, 48}));
  EXPECT_EQ(parse_image_size("1x16384"), (ImageSize{1, 16384}));
  for (const auto* text : {"", "x", "64", "64x", "x64", "0x4", "4x0", "64x48x3", "-1x4", "16385x1",
                           "64 x 48", "64X48", "99999999999999999999x1"}) {
    const auto message = usage_error_of([&] { (void)parse_image_size(text); });
    EXPECT_TRUE(message.starts_with("expected WxH with numbers from 1 to 16384, found ")) << text;
  }
}

TEST(ImageOptions, ComeFromTheCommandLine) {
  const auto parse = [](const std::vector<std::string>& arguments) {
    CommandLine line("x", "");
    ImageArguments images;
    declare_images(line, images);
    line.parse(arguments);
    return images.options();
  };
  EXPECT_EQ(parse({}), ImageOptions{});
  EXPECT_EQ(parse({"--resize", "8x4", "--gray"}),
            (ImageOptions{.resize = ImageSize{8, 4}, .channels = ImageChannels::kGray}));
  EXPECT_EQ(parse({"--image-size", "28x14"}), (ImageOptions{.flat = ImageSize{28, 14}}));
  EXPECT_EQ(parse({"--rgb"}).channels, ImageChannels::kRgb);
  EXPECT_EQ(usage_error_of([&] {
              parse({"--rgb", "--gray"});
            }),
            "--gray and --rgb: expected one of them, found both");
  EXPECT_EQ(usage_error_of([&] {
              parse({"--resize", "8"});
            }),
            "--resize: expected WxH with numbers from 1 to 16384, found 8");
}

}  // namespace
}  // namespace millrace
