#include "train/dark_on_light.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "formats/array_dataset.h"
#include "tests/support/faulty_dataset.h"

namespace millrace {
namespace {

// 8x8, of one brightness but for four pixels in the middle of another.
std::vector<std::byte> picture(int ground, int ink) {
  std::vector<std::byte> pixels(64, static_cast<std::byte>(ground));
  for (const std::size_t i : {27U, 28U, 35U, 36U}) pixels[i] = static_cast<std::byte>(ink);
  return pixels;
}

// Every `each`-th picture is dark on light.
std::shared_ptr<const Dataset> pictures(std::uint64_t count, std::uint64_t each,
                                        std::vector<std::uint64_t> shape = {8, 8}) {
  std::vector<std::byte> all;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto one = i % each == 0 ? picture(250, 10) : picture(10, 250);
    all.insert(all.end(), one.begin(), one.end());
  }
  shape.insert(shape.begin(), count);
  auto owner = std::make_shared<const std::vector<std::byte>>(std::move(all));
  const std::span<const std::byte> data(*owner);
  return std::make_shared<const ArrayDataset>(
      Array{.name = "p", .dtype = DType::kUInt8, .dims = shape, .owner = owner, .data = data},
      Labels{.values = std::vector<std::int32_t>(count, 0), .classes = 1});
}

TEST(DarkOnLight, IsALightBorderAndALightMean) {
  EXPECT_TRUE(is_dark_on_light(picture(250, 10), 8, 8));
  EXPECT_FALSE(is_dark_on_light(picture(10, 250), 8, 8));
  auto framed = picture(250, 10);
  for (std::size_t i = 0; i < 64; ++i) {
    if (i < 8 || i >= 56 || i % 8 == 0 || i % 8 == 7) framed[i] = std::byte{0};
  }
  EXPECT_FALSE(is_dark_on_light(framed, 8, 8));
}

TEST(DarkOnLight, IsToldOfSamplesSpreadOverTheSet) {
  EXPECT_EQ(dark_on_light_share(*pictures(10, 1)), 1.0);
  EXPECT_EQ(dark_on_light_share(*pictures(10, 5)), 0.2);
  EXPECT_EQ(dark_on_light_share(*pictures(10, 5, {1, 8, 8})), 0.2);
  EXPECT_EQ(dark_on_light_share(*pictures(3003, 30)), 1.0) << "every thirtieth is looked at";
}

TEST(DarkOnLight, IsToldOfGreyPicturesAlone) {
  EXPECT_FALSE(dark_on_light_share(*pictures(10, 1, {64})));
  EXPECT_FALSE(dark_on_light_share(*pictures(9, 1, {4, 4, 4})));
}

TEST(DarkOnLight, PassesOverWhatCannotBeRead) {
  const auto some = test::FaultyDataset(pictures(4, 2), std::set<std::uint64_t>{0});
  EXPECT_DOUBLE_EQ(dark_on_light_share(some).value(), 1.0 / 3.0);
  EXPECT_FALSE(
      dark_on_light_share(test::FaultyDataset(pictures(2, 2), std::set<std::uint64_t>{0, 1})));
}

}  // namespace
}  // namespace millrace
