#include "formats/targets.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <vector>

#include "formats/dataset.h"
#include "tests/support/files.h"

namespace millrace {
namespace {

using test::bytes_of;

template <typename T>
std::vector<float> targets_of(DType dtype, const std::vector<T>& numbers) {
  std::vector<std::int32_t> words(numbers.size());
  EXPECT_FALSE(read_targets(dtype, bytes_of(numbers), words)) << name_of(dtype);
  std::vector<float> targets;
  for (const auto word : words) targets.push_back(target_of(word));
  return targets;
}

template <typename T>
BadTarget bad_of(DType dtype, const std::vector<T>& numbers) {
  std::vector<std::int32_t> words(numbers.size());
  return read_targets(dtype, bytes_of(numbers), words).value_or(BadTarget{.at = 0, .found = ""});
}

TEST(ReadTargets, TakesNumbersOfEveryType) {
  const auto expect = [](const std::vector<float>& found) {
    EXPECT_EQ(found, (std::vector<float>{1, 0, 100}));
  };
  expect(targets_of<std::uint8_t>(DType::kUInt8, {1, 0, 100}));
  expect(targets_of<std::int8_t>(DType::kInt8, {1, 0, 100}));
  expect(targets_of<std::uint16_t>(DType::kUInt16, {1, 0, 100}));
  expect(targets_of<std::int16_t>(DType::kInt16, {1, 0, 100}));
  expect(targets_of<std::uint32_t>(DType::kUInt32, {1, 0, 100}));
  expect(targets_of<std::int32_t>(DType::kInt32, {1, 0, 100}));
  expect(targets_of<std::uint64_t>(DType::kUInt64, {1, 0, 100}));
  expect(targets_of<std::int64_t>(DType::kInt64, {1, 0, 100}));
  expect(targets_of<std::uint16_t>(DType::kFloat16, {0x3C00, 0, 0x5640}));
  expect(targets_of<std::uint16_t>(DType::kBFloat16, {0x3F80, 0, 0x42C8}));
  expect(targets_of<float>(DType::kFloat32, {1, 0, 100}));
  expect(targets_of<double>(DType::kFloat64, {1, 0, 100}));
}

TEST(ReadTargets, RoundsToFloat32) {
  EXPECT_EQ(targets_of<double>(DType::kFloat64, {0.1, -1e-60}), (std::vector<float>{0.1F, 0}));
  EXPECT_EQ(targets_of<std::int32_t>(DType::kInt32, {(1 << 24) + 1, -7}),
            (std::vector<float>{1 << 24, -7}));
}

TEST(ReadTargets, NamesTheFirstThatIsNotFinite) {
  constexpr auto kInf = std::numeric_limits<double>::infinity();
  std::vector<float> many(5000, 0.5F);
  many[3000] = std::numeric_limits<float>::quiet_NaN();
  many[4000] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(bad_of(DType::kFloat32, many).at, 3000U);
  EXPECT_EQ(bad_of(DType::kFloat32, many).found, "nan");
  EXPECT_EQ(bad_of<double>(DType::kFloat64, {0, -kInf}).found, "-inf");
  const auto wide = bad_of<double>(DType::kFloat64, {0, 0, 1e300});
  EXPECT_EQ(wide.at, 2U);
  EXPECT_EQ(wide.found, "1e+300") << "finite, but not as a float32";
  EXPECT_EQ(bad_of<std::uint16_t>(DType::kFloat16, {0x7C00}).found, "inf");
  EXPECT_EQ(bad_of<std::uint16_t>(DType::kBFloat16, {0, 0xFF80}).found, "-inf");
}

TEST(ExpectedTarget, SaysWhichOne) {
  EXPECT_EQ(expected_target(7, 1), "a finite number (float32) as the target of sample 7");
  EXPECT_EQ(expected_target(7, 3), "a finite number (float32) as target 1 of sample 2");
}

TEST(TargetsIn, AreANumberASampleOrARow) {
  EXPECT_EQ(targets_in(std::vector<std::uint64_t>{5}), 1U);
  EXPECT_EQ(targets_in(std::vector<std::uint32_t>{5, 3}), 3U);
  EXPECT_EQ(targets_in(std::vector<std::uint64_t>{5, kMostTargets}), kMostTargets);
  EXPECT_EQ(targets_in(std::vector<std::uint64_t>{5, kMostTargets + 1}), 0U);
  EXPECT_EQ(targets_in(std::vector<std::uint64_t>{5, 0}), 0U);
  EXPECT_EQ(targets_in(std::vector<std::uint64_t>{}), 0U);
  EXPECT_EQ(targets_in(std::vector<std::uint64_t>{5, 3, 1}), 0U);
}

}  // namespace
}  // namespace millrace
