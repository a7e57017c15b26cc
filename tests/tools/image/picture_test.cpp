#include "tools/image/picture.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace millrace {
namespace {

using Pixels = std::vector<std::uint8_t>;

std::span<const std::byte> bytes(const std::vector<std::uint8_t>& values) {
  return std::as_bytes(std::span(values));
}

TEST(PictureOf, TakesGreySamples) {
  const Pixels sample{1, 2, 3, 4, 5, 6};
  for (const auto& dims : std::vector<std::vector<std::uint64_t>>{{2, 3}, {1, 2, 3}, {2, 3, 1}}) {
    const auto picture = picture_of({dims}, DType::kUInt8, bytes(sample));
    ASSERT_TRUE(picture);
    EXPECT_EQ(picture->width, 3U);
    EXPECT_EQ(picture->height, 2U);
    EXPECT_EQ(picture->channels, 1U);
    EXPECT_EQ(picture->pixels, sample);
  }
}

TEST(PictureOf, TakesColourInBothOrders) {
  const Pixels planes{1, 2, 11, 12, 21, 22};
  const Pixels pixels{1, 11, 21, 2, 12, 22};
  EXPECT_EQ(picture_of({{3, 1, 2}}, DType::kUInt8, bytes(planes))->pixels, pixels);
  EXPECT_EQ(picture_of({{1, 2, 3}}, DType::kUInt8, bytes(pixels))->channels, 1U);  // [1, h, w]
  EXPECT_EQ(picture_of({{2, 1, 3}}, DType::kUInt8, bytes(pixels))->pixels, pixels);
}

TEST(PictureOf, StretchesOtherTypes) {
  const std::vector<float> sample{-1.0F, 0.0F, 1.0F, -0.5F};
  const auto picture = picture_of({{2, 2}}, DType::kFloat32, std::as_bytes(std::span(sample)));
  EXPECT_EQ(picture->pixels, (Pixels{0, 128, 255, 64}));
  const std::vector<float> equal(4, 7.0F);
  EXPECT_EQ(picture_of({{2, 2}}, DType::kFloat32, std::as_bytes(std::span(equal)))->pixels,
            Pixels(4, 0));
}

TEST(PictureOf, RefusesWhatIsNoPicture) {
  EXPECT_FALSE(picture_of({{6}}, DType::kUInt8, bytes(Pixels(6))));
  EXPECT_FALSE(picture_of({{2, 2, 2}}, DType::kUInt8, bytes(Pixels(8))));
  EXPECT_FALSE(picture_of({{1, 5000}}, DType::kUInt8, bytes(Pixels(5000))));
}

TEST(PictureOfWeights, ShowsSignAsColourAndSizeAsOpacity) {
  const Picture picture =
      picture_of_weights(std::vector<float>{2.0F, -1.0F, 0.0F, 5.0F}, 2, 2, 2.0F);
  EXPECT_EQ(picture.channels, 4U);
  EXPECT_EQ(picture.pixels[3], 255);
  EXPECT_EQ(picture.pixels[7], 128);
  EXPECT_EQ(picture.pixels[11], 0);
  EXPECT_EQ(picture.pixels[15], 255);  // larger than what is opaque
  EXPECT_GT(picture.pixels[0], picture.pixels[2]);
  EXPECT_LT(picture.pixels[4], picture.pixels[6]);
  EXPECT_EQ(picture_of_weights(std::vector<float>(4, 0.0F), 2, 2, 0.0F).pixels[3], 0);
}

TEST(Mosaic, PutsPicturesInRows) {
  std::vector<Picture> pictures;
  for (std::uint8_t i = 1; i <= 3; ++i) {
    pictures.emplace_back(1, 1, 1);
    pictures.back().pixels[0] = i;
  }
  const Picture all = mosaic(pictures, 2, 1);
  EXPECT_EQ(all.width, 3U);
  EXPECT_EQ(all.height, 3U);
  EXPECT_EQ(all.pixels, (Pixels{1, 0, 2, 0, 0, 0, 3, 0, 0}));
  EXPECT_EQ(mosaic(pictures, 9, 0).pixels, (Pixels{1, 2, 3}));
  EXPECT_EQ(mosaic({}, 2, 1).width, 0U);
}

}  // namespace
}  // namespace millrace
