#include "formats/array.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/support/files.h"

namespace millrace {
namespace {

using test::bytes_of;
using test::data_error_of;

const std::vector<std::uint8_t> kSixBytes(6);

Array samples(std::vector<std::uint64_t> dims = {3, 2}) {
  return {.name = "x.npy", .dims = std::move(dims), .data = bytes_of(kSixBytes)};
}

template <typename T>
Labels labels_of(DType dtype, const std::vector<T>& values,
                 std::optional<std::uint32_t> classes = {}) {
  return array_labels(
      samples(),
      {.name = "y.npy", .dtype = dtype, .dims = {values.size()}, .data = bytes_of(values)},
      classes);
}

template <typename T>
std::string error_of(DType dtype, const std::vector<T>& values,
                     std::optional<std::uint32_t> classes = {}) {
  return data_error_of([&] { (void)labels_of(dtype, values, classes); });
}

template <typename T>
void expect_same(DType dtype) {
  const auto labels = labels_of<T>(dtype, {T{1}, T{0}, T{1}});
  EXPECT_EQ(labels.values, (std::vector<std::int32_t>{1, 0, 1})) << name_of(dtype);
  EXPECT_EQ(labels.classes, 2U);
}

TEST(ArrayLabels, AreTakenFromEveryTypeOfWholeNumbers) {
  expect_same<std::uint8_t>(DType::kBool);
  expect_same<std::uint8_t>(DType::kUInt8);
  expect_same<std::int8_t>(DType::kInt8);
  expect_same<std::uint16_t>(DType::kUInt16);
  expect_same<std::int16_t>(DType::kInt16);
  expect_same<std::uint32_t>(DType::kUInt32);
  expect_same<std::int32_t>(DType::kInt32);
  expect_same<std::uint64_t>(DType::kUInt64);
  expect_same<std::int64_t>(DType::kInt64);
  expect_same<float>(DType::kFloat32);
  expect_same<double>(DType::kFloat64);
}

TEST(ArrayLabels, MayBeAColumn) {
  const std::vector<std::uint8_t> values{2, 0, 1};
  const auto labels =
      array_labels(samples(), {.name = "y.npy", .dims = {3, 1}, .data = bytes_of(values)});
  EXPECT_EQ(labels.values, (std::vector<std::int32_t>{2, 0, 1}));
  EXPECT_EQ(labels.classes, 3U);
}

TEST(ArrayLabels, NamesTheOneThatIsNone) {
  const auto wrong = [](const std::string& limit, int sample, const std::string& found) {
    return "y.npy: expected a whole number in [0, " + limit + ") as the label of sample " +
           std::to_string(sample) + ", found " + found +
           (limit == "7" ? ""
                         : " (numbers that are to be learnt: --task regression; of 0 and 1 for "
                           "each label: --task multilabel)");
  };
  EXPECT_EQ(error_of<std::int64_t>(DType::kInt64, {0, -1, 2}), wrong("1048576", 1, "-1"));
  EXPECT_EQ(error_of<std::uint64_t>(DType::kUInt64, {0, 1, ~0ULL}),
            wrong("1048576", 2, "18446744073709551615"));
  EXPECT_EQ(error_of<std::int32_t>(DType::kInt32, {0, 1 << 20, 0}), wrong("1048576", 1, "1048576"));
  EXPECT_EQ(error_of<std::uint8_t>(DType::kUInt8, {0, 1, 7}, 7), wrong("7", 2, "7"));
  EXPECT_EQ(error_of<float>(DType::kFloat32, {0, 0.5F, 0}), wrong("1048576", 1, "0.5"));
  EXPECT_EQ(error_of<double>(DType::kFloat64, {std::nan(""), 0, 0}), wrong("1048576", 0, "nan"));
  EXPECT_EQ(error_of<double>(DType::kFloat64, {0, 0, std::numeric_limits<double>::infinity()}),
            wrong("1048576", 2, "inf"));
}

TEST(ArrayLabels, NamesWrongShapesAndTypes) {
  EXPECT_EQ(error_of<std::uint8_t>(DType::kUInt8, {0, 1}),
            "y.npy: expected 3 labels, one for each sample in x.npy, found 2");
  EXPECT_EQ(error_of<std::uint16_t>(DType::kFloat16, {0, 0, 0}),
            "y.npy: expected labels of an integer type, float32 or float64, found float16");
  const std::vector<std::uint8_t> values(30);
  const auto shaped = [&](std::vector<std::uint64_t> dims) {
    return data_error_of([&] {
      (void)array_labels(samples(), {.name = "y.npy", .dims = dims, .data = bytes_of(values)});
    });
  };
  EXPECT_EQ(shaped({3, 10}),
            "y.npy: expected labels, one number for each sample, found 3x10 uint8 "
            "(numbers that are to be learnt: --task regression; of 0 and 1 for each label: --task "
            "multilabel)");
  EXPECT_EQ(shaped({}), "y.npy: expected labels, one number for each sample, found scalar uint8");
}

template <typename T>
Labels targets_of(DType dtype, const std::vector<std::uint64_t>& dims,
                  const std::vector<T>& values) {
  return array_labels(samples(),
                      {.name = "y.npy", .dtype = dtype, .dims = dims, .data = bytes_of(values)}, {},
                      Task::kRegression);
}

TEST(ArrayTargets, AreANumberForEachSample) {
  const auto found = targets_of<double>(DType::kFloat64, {3}, {0.1, -2, 0});
  EXPECT_EQ(found.targets, 1U);
  EXPECT_EQ(found.classes, 0U);
  EXPECT_EQ(found.words(), 1U);
  EXPECT_EQ(found.values,
            (std::vector<std::int32_t>{target_word(0.1F), target_word(-2), target_word(0)}));
  EXPECT_EQ(targets_of<std::int64_t>(DType::kInt64, {3, 1}, {5, 6, 7}).values[2], target_word(7));
}

TEST(ArrayTargets, MayBeARowForEachSample) {
  const auto found = targets_of<float>(DType::kFloat32, {3, 2}, {0.5F, 1, 2, 3, 4, 5.5F});
  EXPECT_EQ(found.targets, 2U);
  EXPECT_EQ(found.words(), 2U);
  EXPECT_EQ(found.values.size(), 6U);
  EXPECT_EQ(found.values[5], target_word(5.5F));
}

TEST(ArrayTargets, NamesTheOneThatIsNotFinite) {
  const auto error = [](const std::vector<std::uint64_t>& dims, const std::vector<double>& values) {
    return data_error_of([&] { (void)targets_of(DType::kFloat64, dims, values); });
  };
  EXPECT_EQ(error({3}, {0, std::nan(""), 0}),
            "y.npy: expected a finite number (float32) as the target of sample 1, found nan");
  EXPECT_EQ(error({3, 2}, {0, 0, 0, 0, 0, 1e39}),
            "y.npy: expected a finite number (float32) as target 1 of sample 2, found 1e+39");
}

TEST(ArrayTargets, NamesWrongShapes) {
  const auto error = [](const std::vector<std::uint64_t>& dims) {
    const std::vector<std::uint8_t> bytes(SampleShape{dims}.elements());
    return data_error_of([&] { (void)targets_of(DType::kUInt8, dims, bytes); });
  };
  EXPECT_EQ(error({4}), "y.npy: expected 3 targets, one for each sample in x.npy, found 4");
  EXPECT_EQ(error({2, 3}),
            "y.npy: expected 3 rows of targets, one for each sample in x.npy, found 2");
  const std::string expected =
      "y.npy: expected targets, a number for each sample or 1 to 1048576 in its row, found ";
  EXPECT_EQ(error({3, 2, 2}), expected + "3x2x2 uint8");
  EXPECT_EQ(error({3, 0}), expected + "3x0 uint8");
  EXPECT_EQ(error({}), expected + "scalar uint8");
}

TEST(ArraySampleShape, IsWhatIsLeftOfTheDimensions) {
  EXPECT_EQ(array_sample_shape(samples({3, 2, 1})).dims, (std::vector<std::uint64_t>{2, 1}));
  const auto message = [](std::vector<std::uint64_t> dims) {
    return data_error_of([&] { (void)array_sample_shape(samples(dims)); });
  };
  EXPECT_EQ(message({6}), "x.npy: expected samples, of rank 2 or more, found 6 uint8");
  EXPECT_EQ(message({}), "x.npy: expected samples, of rank 2 or more, found scalar uint8");
  EXPECT_EQ(message({0, 6}),
            "x.npy: expected at least one sample of at least one element, found 0x6 uint8");
  EXPECT_EQ(message({6, 0}),
            "x.npy: expected at least one sample of at least one element, found 6x0 uint8");
}

}  // namespace
}  // namespace millrace
