#include "formats/idx_pair.h"

#include <gtest/gtest.h>

#include <limits>
#include <span>

#include "tests/support/files.h"
#include "tests/support/idx_files.h"
#include "tests/support/memory_dataset.h"

namespace millrace {
namespace {

using test::data_error_of;
using test::small_labels;
using test::TempFolder;
using test::write_bytes;

TEST(IdxPair, TakesTheShapeOfASample) {
  EXPECT_EQ(idx_sample_shape("a", {DType::kUInt8, {5, 2, 3}}).dims,
            (std::vector<std::uint64_t>{2, 3}));
  EXPECT_EQ(data_error_of([] {
              idx_sample_shape("a", {DType::kUInt8, {5}});
            }),
            "a: byte 3: expected samples, of rank 2 or more, found 5 uint8");
  EXPECT_EQ(data_error_of([] {
              idx_sample_shape("a", {DType::kUInt8, {0, 2}});
            }),
            "a: byte 4: expected at least one sample, found none");
  EXPECT_EQ(data_error_of([] {
              idx_sample_shape("a", {DType::kUInt8, {1, 2, 0}});
            }),
            "a: byte 12: expected samples of at least one element, found 1x2x0 uint8");
}

TEST(IdxPair, CountsClasses) {
  const TempFolder folder;
  const auto labels = read_idx(write_bytes(folder / "l", small_labels(9, 4)));
  const auto found = idx_labels("i", {DType::kUInt8, {9, 1}}, labels, {});
  EXPECT_EQ(found.values, (std::vector<std::int32_t>{0, 1, 2, 3, 0, 1, 2, 3, 0}));
  EXPECT_EQ(found.classes, 4U);
  EXPECT_EQ(idx_labels("i", {DType::kUInt8, {9, 1}}, labels, 7).classes, 7U);
}

IdxArray targets_file(const TempFolder& folder, DType dtype, std::vector<std::uint32_t> dims,
                      std::span<const std::byte> numbers) {
  write_idx(folder / "l", {dtype, std::move(dims)}, numbers);
  return read_idx(folder / "l");
}

TEST(IdxPair, TakesTargetsOfAnyType) {
  const TempFolder folder;
  const IdxHeader images{DType::kUInt8, {2, 1}};
  const std::vector<float> floats{0.5F, -1, 2, 3.25F};
  const auto numbers = test::bytes_of(floats);
  const auto one =
      idx_labels("i", images, targets_file(folder, DType::kFloat32, {2}, numbers.first(8)), {},
                 Task::kRegression);
  EXPECT_EQ(one.targets, 1U);
  EXPECT_EQ(one.classes, 0U);
  EXPECT_EQ(one.values, (std::vector<std::int32_t>{target_word(0.5F), target_word(-1)}));
  const auto two = idx_labels("i", images, targets_file(folder, DType::kFloat32, {2, 2}, numbers),
                              {}, Task::kRegression);
  EXPECT_EQ(two.targets, 2U);
  EXPECT_EQ(two.values[3], target_word(3.25F));
  const std::vector<std::int16_t> whole{-300, 7};
  const auto found =
      idx_labels("i", images, targets_file(folder, DType::kInt16, {2, 1}, test::bytes_of(whole)),
                 {}, Task::kRegression);
  EXPECT_EQ(found.values, (std::vector<std::int32_t>{target_word(-300), target_word(7)}));
}

TEST(IdxPair, NamesTheTargetThatIsWrong) {
  const TempFolder folder;
  const auto error = [&](std::vector<std::uint32_t> dims, const std::vector<double>& numbers) {
    return data_error_of([&] {
      const auto labels =
          targets_file(folder, DType::kFloat64, std::move(dims), test::bytes_of(numbers));
      idx_labels("i", {DType::kUInt8, {2, 1}}, labels, {}, Task::kRegression);
    });
  };
  const auto file = (folder / "l").string();
  EXPECT_EQ(error({2}, {0, 1e39}),
            file +
                ": byte 16: expected a finite number (float32) as the target of sample 1, found "
                "1e+39");
  EXPECT_EQ(error({2, 2}, {0, 0, 0, std::numeric_limits<double>::infinity()}),
            file +
                ": byte 36: expected a finite number (float32) as target 1 of sample 1, found "
                "inf");
  EXPECT_EQ(error({2, 1, 1}, {0, 0}),
            file + ": byte 3: expected targets, of rank 1 or 2, found 2x1x1 float64");
  EXPECT_EQ(error({2, 0}, {}),
            file + ": byte 8: expected 1 to 1048576 targets of a sample, found 0");
  EXPECT_EQ(error({3}, {0, 0, 0}),
            file + ": byte 4: expected 2 targets, one for each image in i, found 3");
  EXPECT_EQ(error({1, 2}, {0, 0}),
            file + ": byte 4: expected 2 rows of targets, one for each image in i, found 1");
}

TEST(IdxPair, NamesTheLabelThatIsWrong) {
  const TempFolder folder;
  const auto path = (folder / "l").string();
  const auto labels = read_idx(write_bytes(folder / "l", small_labels(9, 4)));
  EXPECT_EQ(data_error_of([&] {
              idx_labels("i", {DType::kUInt8, {8, 1}}, labels, {});
            }),
            path + ": byte 4: expected 8 labels, one for each image in i, found 9");
  EXPECT_EQ(data_error_of([&] {
              idx_labels("i", {DType::kUInt8, {9, 1}}, labels, 3);
            }),
            path + ": byte 11: expected a label in [0, 3) for sample 3, found 3");
}

}  // namespace
}  // namespace millrace
