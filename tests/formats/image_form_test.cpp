#include "formats/image_form.h"

#include <gtest/gtest.h>

#include "tests/support/files.h"

namespace millrace {
namespace {

constexpr ImageSize kSmall{.width = 4, .height = 3};
constexpr ImageSize kLarge{.width = 8, .height = 6};

TEST(CommonImageForm, IsGreyIfAllAre) {
  CommonImageForm form({});
  EXPECT_TRUE(form.wants_headers());
  form.add({kSmall, 1}, "a");
  EXPECT_EQ(form.options(), (ImageOptions{.resize = kSmall, .channels = ImageChannels::kGray}));
  form.add({kSmall, 3}, "b");
  form.add({kSmall, 1}, "c");
  EXPECT_EQ(form.options(), (ImageOptions{.resize = kSmall, .channels = ImageChannels::kRgb}));
}

TEST(CommonImageForm, NamesTheImageOfAnotherSize) {
  CommonImageForm form({.channels = ImageChannels::kRgb});
  form.add({kSmall, 3}, "a");
  EXPECT_EQ(test::data_error_of([&] {
              form.add({kLarge, 3}, "b");
            }),
            "b: expected an image of 4x3, as a is (--resize WxH makes all of one size), found 8x6");
}

TEST(CommonImageForm, HoldsTestImagesToTheTrainingImages) {
  const ImageOptions training{.resize = kSmall, .channels = ImageChannels::kGray};
  CommonImageForm form({}, training);
  EXPECT_TRUE(form.wants_headers());
  EXPECT_EQ(form.options(), training);
  form.add({kSmall, 1}, "a");
  EXPECT_NE(test::data_error_of([&] {
              form.add({kLarge, 1}, "b");
            }).find("b: expected an image of 4x3, as the training images are"),
            std::string::npos);
  EXPECT_NE(test::data_error_of([&] {
              form.add({kSmall, 3}, "c");
            }).find("c: expected a grey image, as the training images are"),
            std::string::npos);
  CommonImageForm colour({}, {.resize = kSmall, .channels = ImageChannels::kRgb});
  colour.add({kSmall, 1}, "d");
  EXPECT_EQ(colour.options().channels, ImageChannels::kRgb);
}

TEST(CommonImageForm, IsWhatWasAskedFor) {
  CommonImageForm sized({.resize = kLarge});
  EXPECT_TRUE(sized.wants_headers());
  sized.add({kSmall, 1}, "a");
  sized.add({kLarge, 1}, "b");
  EXPECT_EQ(sized.options(), (ImageOptions{.resize = kLarge, .channels = ImageChannels::kGray}));
  const ImageOptions all{.resize = kSmall, .channels = ImageChannels::kRgb};
  const CommonImageForm given(all);
  EXPECT_FALSE(given.wants_headers());
  EXPECT_EQ(given.options(), all);
}

}  // namespace
}  // namespace millrace
