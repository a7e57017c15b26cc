#include "formats/image_orientation.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/images.h"

namespace millrace {
namespace {

using test::ByteVector;
using test::joined;
using test::make_bytes;

/// Exif data whose second tag is the orientation, as of a camera (`big`: byte order "MM").
ByteVector exif_data(int orientation, bool big, int type = 3) {
  const auto two = [big](int value) { return make_bytes({big ? 0 : value, big ? value : 0}); };
  const auto four = [big](int value) {
    return make_bytes({big ? 0 : value, 0, 0, big ? value : 0});
  };
  const char order = big ? 'M' : 'I';
  const auto tag = [&](int number, int value) {
    auto name = make_bytes({big ? 1 : number, big ? number : 1});  // 0x100 + number
    return joined({name, two(type), four(1), two(value), two(0)});
  };
  return joined({make_bytes({order, order}), two(42), four(8), two(2), tag(0x0f, 7),
                 tag(0x12, orientation), four(0)});
}

/// The same as a JPEG segment.
ByteVector exif(int orientation, bool big, int type = 3) {
  const auto content =
      joined({make_bytes({'E', 'x', 'i', 'f', 0, 0}), exif_data(orientation, big, type)});
  return joined({make_bytes({0xff, 0xe1, 0, static_cast<int>(content.size()) + 2}), content});
}

/// Behind the JPEG's first marker.
ByteVector with_segment(const ByteVector& jpeg, const ByteVector& segment) {
  auto file = jpeg;
  file.insert(file.begin() + 2, segment.begin(), segment.end());
  return file;
}

constexpr std::size_t kBehindHeader = 33;  // of a PNG file: signature and IHDR

/// Before a chunk of the PNG file.
ByteVector with_chunk(ByteVector png, const ByteVector& data, std::size_t at = kBehindHeader) {
  ByteVector chunk;
  test::put_png_chunk(chunk, "eXIf", data);
  png.insert(png.begin() + static_cast<std::ptrdiff_t>(at), chunk.begin(), chunk.end());
  return png;
}

const ByteVector& half_bright() {  // 16 wide, 8 high, bright on the left
  static const ByteVector file = [] {
    ByteVector pixels(std::size_t{16} * 8);
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = std::byte(i % 16 < 8 ? 250 : 5);
    return test::jpeg_of(16, 8, TJPF_GRAY, pixels);
  }();
  return file;
}

TEST(ImageOrientation, IsReadFromExif) {
  EXPECT_EQ(jpeg_orientation(half_bright()), 1);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    for (const bool big : {false, true}) {
      EXPECT_EQ(jpeg_orientation(with_segment(half_bright(), exif(orientation, big))), orientation);
    }
  }
  for (const int other : {0, 9, 255}) {
    EXPECT_EQ(jpeg_orientation(with_segment(half_bright(), exif(other, true))), 1) << other;
  }
  EXPECT_EQ(jpeg_orientation(with_segment(half_bright(), exif(6, true, 4))), 1) << "no SHORT";
}

TEST(ImageOrientation, IsNoneWhereExifIsCutOrDamaged) {
  const auto segment = exif(6, false);
  for (std::size_t size = 0; size + 8 < segment.size(); ++size) {
    const auto cut =
        joined({make_bytes({0xff, 0xd8}),
                ByteVector(segment.begin(), segment.begin() + static_cast<std::ptrdiff_t>(size))});
    EXPECT_EQ(jpeg_orientation(cut), 1) << size;
  }
  for (std::size_t at = 0; at < segment.size(); ++at) {
    for (const int value : {0, 0x7f, 0xff}) {
      auto damaged = segment;
      damaged[at] = std::byte(value);
      const int found = jpeg_orientation(with_segment(half_bright(), damaged));
      EXPECT_TRUE(found == 1 || found == 6) << at;
    }
  }
}

// What the data say is looked at as in JPEG files.
TEST(ImageOrientation, IsReadFromPng) {
  const auto png = test::png_of(3, 2, 1, make_bytes("abcdef"));
  EXPECT_EQ(png_orientation(png), 1);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    for (const bool big : {false, true}) {
      EXPECT_EQ(png_orientation(with_chunk(png, exif_data(orientation, big))), orientation);
    }
  }
  EXPECT_EQ(png_orientation(with_chunk(png, exif_data(6, true), png.size() - 12)), 1)
      << "behind the pixels, where it must not be";
  EXPECT_EQ(png_orientation(with_chunk(with_chunk(png, exif_data(3, true)), exif_data(6, true))), 6)
      << "the first of two";
}

TEST(ImageOrientation, IsNoneWherePngIsCutOrDamaged) {
  const auto png = test::png_of(3, 2, 1, make_bytes("abcdef"));
  const auto data = exif_data(6, false);
  const auto whole = with_chunk(png, data);
  for (std::size_t size = 8; size < kBehindHeader + 12 + data.size(); ++size) {
    EXPECT_EQ(png_orientation(std::span(whole).first(size)), 1) << size;
  }
  for (std::size_t size = 0; size + 8 < data.size(); ++size) {
    const auto cut =
        with_chunk(png, ByteVector(data.begin(), data.begin() + static_cast<std::ptrdiff_t>(size)));
    EXPECT_EQ(decode_image(cut, "x").width, 3U) << size;
  }
  for (std::size_t at = kBehindHeader; at < whole.size(); ++at) {
    for (const int value : {0, 0x7f, 0xff}) {
      auto damaged = whole;
      damaged[at] = std::byte(value);
      const int found = png_orientation(damaged);
      EXPECT_TRUE(found == 1 || found == 6) << at;
    }
  }
}

TEST(ImageOrientation, TurnsPictures) {
  // a b c
  // d e f
  const auto shown = [](int orientation) {
    const auto image = turned({.width = 3,
                               .height = 2,
                               .channels = 1,
                               .pixels = make_bytes({'a', 'b', 'c', 'd', 'e', 'f'})},
                              orientation);
    std::string rows;
    for (std::uint32_t y = 0; y < image.height; ++y) {
      if (y > 0) rows += '/';
      for (std::uint32_t x = 0; x < image.width; ++x) {
        rows += std::to_integer<char>(image.pixels[y * image.width + x]);
      }
    }
    return rows;
  };
  const std::vector<std::string_view> expected{"abc/def",  "cba/fed",  "fed/cba",  "def/abc",
                                               "ad/be/cf", "da/eb/fc", "fc/eb/da", "cf/be/ad"};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    EXPECT_EQ(shown(orientation), expected[static_cast<std::size_t>(orientation) - 1]);
  }
  const auto rgb =
      turned({.width = 2, .height = 1, .channels = 3, .pixels = make_bytes({1, 2, 3, 4, 5, 6})}, 6);
  EXPECT_EQ(rgb.height, 2U);
  EXPECT_EQ(rgb.pixels, make_bytes({1, 2, 3, 4, 5, 6}));
}

TEST(ImageOrientation, IsThatOfDecodedImages) {
  // Its left side is shown at the top.
  const auto file = with_segment(half_bright(), exif(6, true));
  EXPECT_EQ(read_image_info(file, "x").size, (ImageSize{8, 16}));
  const auto bright_rows = [&](const ImageOptions& options) {
    const auto image = decode_image(file, "x", options);
    std::string rows;
    for (std::uint32_t y = 0; y < image.height; ++y) {
      rows += std::to_integer<int>(image.pixels[std::size_t{y} * image.width]) > 127 ? '#' : '.';
    }
    return std::to_string(image.width) + " " + rows;
  };
  EXPECT_EQ(bright_rows({}), "8 ########........");
  EXPECT_EQ(bright_rows({.resize = ImageSize{4, 8}}), "4 ####....");
  EXPECT_EQ(bright_rows({.resize = ImageSize{9, 4}}), "9 ##..");
}

TEST(ImageOrientation, IsThatOfDecodedPngs) {
  const auto file = with_chunk(test::png_of(3, 2, 1, make_bytes("abcdef")), exif_data(6, true));
  EXPECT_EQ(read_image_info(file, "x").size, (ImageSize{2, 3}));
  const auto image = decode_image(file, "x");
  EXPECT_EQ(image.width, 2U);
  EXPECT_EQ(image.height, 3U);
  EXPECT_EQ(image.pixels, make_bytes("daebfc"));
  EXPECT_EQ(decode_image(file, "x", {.resize = ImageSize{2, 3}}).pixels, image.pixels);
}

}  // namespace
}  // namespace millrace
