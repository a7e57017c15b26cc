#include "formats/image.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "tests/support/images.h"

namespace millrace {
namespace {

using test::ByteVector;
using test::data_error_of;
using test::joined;
using test::make_bytes;

// 2x2: red, green / blue, white.
const ByteVector kColors = make_bytes({255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255});

Image decode(const ByteVector& file, const ImageOptions& options = {}) {
  return decode_image(file, "x", options);
}

std::string error_of(const ByteVector& file) {
  return data_error_of([&] { (void)decode(file); });
}

ByteVector gradient(std::size_t width, std::size_t height, std::size_t channels) {
  ByteVector pixels;
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t x = 0; x < width; ++x) {
      for (std::size_t c = 0; c < channels; ++c) {
        pixels.push_back(static_cast<std::byte>(c == 1 ? 200 * y / height : 200 * x / width + 20));
      }
    }
  }
  return pixels;
}

double largest_difference(const ByteVector& a, const ByteVector& b) {
  EXPECT_EQ(a.size(), b.size());
  int largest = a.size() == b.size() ? 0 : 1000;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    largest = std::max(largest, std::abs(std::to_integer<int>(a[i]) - std::to_integer<int>(b[i])));
  }
  return largest;
}

TEST(ImageTest, ReadsColorsOfEveryLosslessFormat) {
  const std::pair<const char*, ByteVector> files[] = {
      {"png", test::png_of(2, 2, 3, kColors)},
      {"bmp", test::bmp_of(2, 2, kColors)},
      {"tga", test::tga_of(2, 2, kColors)},
      {"gif", test::small_gif()},
      {"ppm", test::pnm("P6\n# drawn\n2 2\n255\n", kColors)},
  };
  for (const auto& [format, file] : files) {
    SCOPED_TRACE(format);
    const Image image = decode(file);
    EXPECT_EQ(image.width, 2U);
    EXPECT_EQ(image.height, 2U);
    EXPECT_EQ(image.channels, 3U);
    EXPECT_EQ(image.pixels, kColors);
    const ImageInfo info = read_image_info(file, "x");
    EXPECT_EQ(info.size, (ImageSize{2, 2}));
    EXPECT_EQ(info.channels, 3U);
  }
}

TEST(ImageTest, ReadsGray) {
  const auto pixels = make_bytes({0, 100, 255, 7, 8, 9});
  for (const auto& file : {test::png_of(3, 2, 1, pixels), test::pnm("P5 3 2 255\n", pixels)}) {
    const Image image = decode(file);
    EXPECT_EQ(image.width, 3U);
    EXPECT_EQ(image.height, 2U);
    EXPECT_EQ(image.channels, 1U);
    EXPECT_EQ(image.pixels, pixels);
    EXPECT_EQ(read_image_info(file, "x").channels, 1U);
  }
}

TEST(ImageTest, RoundsSixteenBitsToEight) {
  // 128 is nearest to 1/257 of 0x8000; 0x0081 rounds up to 1, 0x0080 down to 0.
  const auto samples = make_bytes({0xff, 0xff, 0x80, 0x00, 0x00, 0x81, 0x00, 0x80});
  const auto expected = make_bytes({255, 128, 1, 0});
  EXPECT_EQ(decode(test::pnm("P5 4 1 65535\n", samples)).pixels, expected);
  const auto png = test::png(4, 1, 16, 0, joined({make_bytes({0}), samples}));
  EXPECT_EQ(decode(png).pixels, expected);
}

TEST(ImageTest, ScalesToTheLargestValueOfPnm) {
  EXPECT_EQ(decode(test::pnm("P5 4 1 3\n", make_bytes({0, 1, 2, 3}))).pixels,
            make_bytes({0, 85, 170, 255}));
}

TEST(ImageTest, LaysDarkInkOnTransparencyOverWhite) {
  const auto rgba = make_bytes({0, 10, 20, 30, 255, 10, 20, 30, 0, 0, 0, 0, 51});
  EXPECT_EQ(decode(test::png(3, 1, 8, 6, rgba)).pixels,
            make_bytes({10, 20, 30, 255, 255, 255, 204, 204, 204}));
  const Image gray = decode(test::png(3, 1, 8, 4, make_bytes({0, 10, 255, 0, 0, 100, 51})));
  EXPECT_EQ(gray.channels, 1U);
  EXPECT_EQ(gray.pixels, make_bytes({10, 255, 224}));
  EXPECT_EQ(decode(test::png(1, 1, 8, 6, make_bytes({0, 10, 20, 30, 0}))).pixels,
            make_bytes({255, 255, 255}))
      << "nothing can be seen";
  // 16 bits: half of 0x8000 over white.
  EXPECT_EQ(
      decode(test::png(2, 1, 16, 4, make_bytes({0, 0, 0, 0xff, 0xff, 0x40, 0, 0x80, 0}))).pixels,
      make_bytes({0, 159}));
}

TEST(ImageTest, LaysLightInkOnTransparencyOverBlack) {
  const auto rgba = make_bytes({0, 240, 250, 230, 255, 10, 20, 30, 0, 255, 255, 255, 51});
  EXPECT_EQ(decode(test::png(3, 1, 8, 6, rgba)).pixels,
            make_bytes({240, 250, 230, 0, 0, 0, 51, 51, 51}));
  EXPECT_EQ(decode(test::png(3, 1, 8, 4, make_bytes({0, 128, 255, 0, 0, 127, 254}))).pixels,
            make_bytes({128, 0, 127}))
      << "just above half";
  EXPECT_EQ(decode(test::png(2, 1, 8, 4, make_bytes({0, 127, 255, 0, 0}))).pixels,
            make_bytes({127, 255}));
}

TEST(ImageTest, AlphaThatHidesNothingChangesNothing) {
  const auto light = make_bytes({0, 250, 240, 230, 255, 1, 2, 3, 255});
  EXPECT_EQ(decode(test::png(2, 1, 8, 6, light)).pixels, make_bytes({250, 240, 230, 1, 2, 3}));
  // TGA of 32 bits whose alpha was left at 0; one pixel: blue, green, red, alpha.
  const auto tga =
      make_bytes({0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 32, 0x20, 30, 20, 10, 0});
  EXPECT_EQ(decode(tga).pixels, make_bytes({10, 20, 30}));
}

TEST(ImageTest, ReadsPalettes) {
  const auto file =
      test::png(2, 1, 1, 3, make_bytes({0, 0x40}), false, make_bytes({1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(decode(file).pixels, make_bytes({1, 2, 3, 4, 5, 6}));
}

TEST(ImageTest, ReadsInterlacedPng) {
  // Adam7 of 2x2: pass 1 has pixel (0,0), pass 6 has (1,0), pass 7 the row (0,1) (1,1).
  const auto rows = make_bytes({0, 10, 0, 20, 0, 30, 40});
  EXPECT_EQ(decode(test::png(2, 2, 8, 0, rows, true)).pixels, make_bytes({10, 20, 30, 40}));
}

TEST(ImageTest, ReadsJpegInGrayColorAndProgressive) {
  const auto color = gradient(40, 24, 3);
  for (const int flags : {0, TJFLAG_PROGRESSIVE}) {
    const auto file = test::jpeg_of(40, 24, TJPF_RGB, color, flags);
    const Image image = decode(file);
    EXPECT_EQ(image.channels, 3U);
    EXPECT_LT(largest_difference(image.pixels, color), 12);
    EXPECT_EQ(decode(file, {.channels = ImageChannels::kGray}).channels, 1U);
  }
  const auto gray = gradient(40, 24, 1);
  const auto file = test::jpeg_of(40, 24, TJPF_GRAY, gray);
  EXPECT_EQ(decode(file).channels, 1U);
  EXPECT_LT(largest_difference(decode(file).pixels, gray), 12);
  EXPECT_EQ(read_image_info(file, "x").channels, 1U);
  const Image widened = decode(file, {.channels = ImageChannels::kRgb});
  EXPECT_EQ(widened.channels, 3U);
  EXPECT_EQ(widened.pixels.size(), 40U * 24 * 3);
}

TEST(ImageTest, ReadsCmykJpegStraightAndAsAdobeInvertsIt) {
  // As light: c = 200, m = 100, y = 50, k = 128 of 255.
  ByteVector light;
  ByteVector gray_ink;
  for (int i = 0; i < 64; ++i) {
    for (const int value : {200, 100, 50, 128}) light.push_back(static_cast<std::byte>(value));
    for (const int value : {155, 155, 155, 127}) gray_ink.push_back(static_cast<std::byte>(value));
  }
  const auto inverted = test::jpeg_of(8, 8, TJPF_CMYK, light);
  // libjpeg stores YCCK and marks it as Adobe does. Without the mark the channels count as CMYK
  // themselves: of a grey they are its lightness, 128 and 128.
  const auto adobe = make_bytes({0xff, 0xee, 0, 14, 'A', 'd', 'o', 'b', 'e'});
  auto straight = test::jpeg_of(8, 8, TJPF_CMYK, gray_ink);
  const auto at = std::search(straight.begin(), straight.end(), adobe.begin(), adobe.end());
  ASSERT_NE(at, straight.end());
  straight.erase(at, at + 16);
  const std::pair<ByteVector, ByteVector> forms[] = {
      {inverted, make_bytes({100, 50, 25})},
      {straight, make_bytes({155 * 128 / 255, 127 * 128 / 255, 127 * 128 / 255})}};
  for (const auto& [file, expected] : forms) {
    const Image image = decode(file);
    ASSERT_EQ(image.channels, 3U);
    const ByteVector first(image.pixels.begin(), image.pixels.begin() + 3);
    EXPECT_LE(largest_difference(first, expected), 4);
    EXPECT_EQ(read_image_info(file, "x").channels, 3U);
    EXPECT_EQ(decode(file, {.channels = ImageChannels::kGray}).channels, 1U);
  }
}

TEST(ImageTest, TurnsColorToLuma) {
  EXPECT_EQ(decode(test::png_of(2, 2, 3, kColors), {.channels = ImageChannels::kGray}).pixels,
            make_bytes({76, 150, 29, 255}));
}

TEST(ImageTest, ResizesBothWays) {
  const auto pixels = gradient(40, 24, 3);
  const auto files = {test::png_of(40, 24, 3, pixels), test::jpeg_of(40, 24, TJPF_RGB, pixels)};
  for (const auto& file : files) {
    for (const ImageSize size : {ImageSize{10, 6}, ImageSize{40, 24}, ImageSize{80, 48},
                                 ImageSize{5, 48}, ImageSize{1, 1}}) {
      const Image image = decode(file, {.resize = size});
      EXPECT_EQ(image.width, size.width);
      EXPECT_EQ(image.height, size.height);
      ASSERT_EQ(image.pixels.size(), std::size_t{size.width} * size.height * 3);
      // A ramp stays a ramp: its middle has the middle value.
      const auto middle = (size.height / 2 * std::size_t{size.width} + size.width / 2) * 3;
      EXPECT_NEAR(std::to_integer<int>(image.pixels[middle]), 120, 25) << size.width;
    }
  }
  EXPECT_EQ(decode(*files.begin(), {.resize = ImageSize{4, 4}, .channels = ImageChannels::kGray})
                .pixels.size(),
            16U);
  EXPECT_THROW((void)decode(*files.begin(), {.resize = ImageSize{0, 4}}), std::invalid_argument);
  EXPECT_THROW((void)decode(*files.begin(), {.resize = ImageSize{1U << 31, 1U << 31}}),
               std::invalid_argument);
}

TEST(ImageTest, AConstantImageStaysConstant) {
  const ByteVector pixels(30 * 30, std::byte{77});
  for (const std::uint32_t side : {7U, 30U, 64U}) {
    const Image image = decode(test::png_of(30, 30, 1, pixels), {.resize = ImageSize{side, side}});
    EXPECT_EQ(image.pixels, ByteVector(std::size_t{side} * side, std::byte{77}));
  }
}

TEST(ImageTest, NamesWhatIsNoImage) {
  EXPECT_EQ(error_of({}), "x: expected an image, found an empty file");
  EXPECT_EQ(error_of(make_bytes("hello, this is no image at all")),
            "x: expected a PNG, JPEG, BMP, GIF, TGA or binary PNM image, found none of them, or a "
            "damaged header");
  EXPECT_EQ(error_of(make_bytes({0xff, 0xd8, 0xff, 0xd9})),
            "x: expected an image of at least one pixel, found 0x0");
  EXPECT_TRUE(
      error_of(make_bytes({0xff, 0xd8, 0xff, 0xc0, 0, 1})).starts_with("x: not a sound JPEG"));
}

// Every cut of every format is an error, not a picture with something else in it.
TEST(ImageTest, RefusesEveryTruncation) {
  const auto pixels = gradient(23, 9, 3);
  const std::pair<const char*, ByteVector> files[] = {
      {"png", test::png_of(23, 9, 3, pixels)},
      {"bmp", test::bmp_of(24, 6, gradient(24, 6, 3))},
      {"tga", test::tga_of(23, 9, pixels)},
      {"ppm", test::pnm("P6 23 9 255\n", pixels)},
      {"jpeg", test::jpeg_of(23, 9, TJPF_RGB, pixels)},
  };
  for (const auto& [format, file] : files) {
    SCOPED_TRACE(format);
    EXPECT_EQ(decode(file).pixels.size() % 3, 0U);
    // The last two bytes of JPEG are its end marker, which libjpeg adds where it is missing.
    const auto most = file.size() - (std::string(format) == "jpeg" ? 3 : 1);
    for (std::size_t size = 0; size <= most; ++size) {
      const ByteVector cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_THROW((void)decode(cut), DataError) << size;
    }
  }
  auto gif = test::small_gif();
  gif.resize(gif.size() - 4);
  EXPECT_THROW((void)decode(gif), DataError);
}

TEST(ImageTest, FindsEveryFlippedByteOfPng) {
  const auto file = test::png_of(23, 9, 3, gradient(23, 9, 3));
  for (std::size_t i = 0; i + 12 < file.size(); ++i) {
    auto damaged = file;
    damaged[i] ^= std::byte{0x10};
    EXPECT_THROW((void)decode(damaged), DataError) << i;
  }
}

TEST(ImageTest, ABrokenJpegLeavesNothingBehindForTheNext) {
  const auto good = test::jpeg_of(8, 8, TJPF_GRAY, gradient(8, 8, 1));
  const auto before = decode(good).pixels;
  for (std::size_t size = 3; size < good.size() - 2; ++size) {
    (void)error_of(ByteVector(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)));
    ASSERT_EQ(decode(good).pixels, before) << size;
  }
  (void)error_of(make_bytes({0xff, 0xd8, 0xff, 0xc0, 0, 1}));
  EXPECT_EQ(decode(good).pixels, before);
}

TEST(ImageTest, NamesTheChunkOfPngThatIsDamaged) {
  auto file = test::png_of(2, 2, 3, kColors);
  file[45] ^= std::byte{1};  // inside IDAT, which begins behind signature (8) and IHDR (25)
  EXPECT_EQ(error_of(file).rfind("x: byte 33: expected a PNG chunk of CRC ", 0), 0U)
      << error_of(file);
}

TEST(ImageTest, RefusesSizesThatTheFileCannotHold) {
  const auto rows = make_bytes({0, 1, 2, 3});
  EXPECT_EQ(error_of(test::png(100'000, 100'000, 8, 2, rows)),
            "x: expected an image of at most 268435456 pixels, found 100000x100000");
  const auto lying = test::png(16'000, 16'000, 8, 0, rows);
  EXPECT_EQ(error_of(lying), "x: expected an image that " + std::to_string(lying.size()) +
                                 " bytes can hold, found 16000x16000");
  EXPECT_EQ(error_of(test::pnm("P5 16384 16384 255\n", rows)),
            "x: expected an image that 23 bytes can hold, found 16384x16384");
  EXPECT_EQ(error_of(test::pnm("P6 3 2 255\n", rows)),
            "x: byte 11: expected 18 bytes of 3x2 pixels, found 4");
  EXPECT_THROW((void)decode(test::bmp_of(0, 0, {})), DataError);
}

TEST(ImageTest, NamesBrokenNumbersOfPnm) {
  EXPECT_EQ(error_of(make_bytes("P5 x 2 255\n1234")),
            "x: byte 3: expected the width of a PNM image, from 1 to 268435456, found no number");
  EXPECT_EQ(error_of(make_bytes("P5 2 2 65536\n1234")),
            "x: byte 7: expected the largest value of a PNM image, from 1 to 65535, found 65536");
  EXPECT_EQ(error_of(make_bytes("P5 2 99999999999999999999 255\n")),
            "x: byte 5: expected the height of a PNM image, from 1 to 268435456, found 999999999");
  EXPECT_EQ(error_of(make_bytes("P5 2 2 255x1234")),
            "x: byte 10: expected white space before the samples of a PNM image, found none");
}

TEST(ImageTest, KnowsNamesOfImages) {
  for (const auto* name : {"a.png", "a.JPG", "a.b.JPEG", "a.bmp", "a.gif", "a.tga", "a.ppm"}) {
    EXPECT_TRUE(has_image_name(name)) << name;
  }
  for (const auto* name : {"a.txt", "png", ".png", "a.png.gz", "", "a."}) {
    EXPECT_FALSE(has_image_name(name)) << name;
  }
}

}  // namespace
}  // namespace millrace
