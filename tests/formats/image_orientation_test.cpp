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

/// An Exif segment whose second tag is the orientation, as of a camera (`big`: byte order "MM").
ByteVector exif(int orientation, bool big, int type = 3) {
  const auto two = [big](int value) { return make_bytes({big ? 0 : value, big ? value : 0}); };
  const auto four = [big](int value) {
    return make_bytes({big ? 0 : value, 0, 0, big ? value : 0});
  };
  const char order = big ? 'M' : 'I';
  const auto tag = [&](int number, int value) {
    auto name = make_bytes({big ? 1 : number, big ? number : 1});  // 0x100 + number
    return joined({name, two(type), four(1), two(value), two(0)});
  };
  const auto content = joined({make_bytes({'E', 'x', 'i', 'f', 0, 0, order, order}), two(42),
                               four(8), two(2), tag(0x0f, 7), tag(0x12, orientation), four(0)});
  return joined({make_bytes({0xff, 0xe1, 0, static_cast<int>(content.size()) + 2}), content});
}

/// Behind the JPEG's first marker.
ByteVector with_segment(const ByteVector& jpeg, const ByteVector& segment) {
  auto file = jpeg;
  file.insert(file.begin() + 2, segment.begin(), segment.end());
  return file;
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

}  // namespace
}  // namespace millrace
