#include "formats/array_dataset.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/support/files.h"
#include "tests/support/idx_files.h"

namespace millrace {
namespace {

using test::bytes_of;

const std::vector<std::int16_t> kValues{10, 11, 20, 21, 30, 31};
const std::vector<std::uint8_t> kLabels{2, 0, 1};

Array samples() {
  return {.name = "x.npy", .dtype = DType::kInt16, .dims = {3, 2}, .data = bytes_of(kValues)};
}
Array labels() { return {.name = "y.npy", .dims = {3}, .data = bytes_of(kLabels)}; }

TEST(ArrayDataset, GivesSamplesAndLabels) {
  const ArrayDataset data(samples(), labels());
  EXPECT_EQ(data.size(), 3U);
  EXPECT_EQ(data.shape(), (SampleShape{{2}}));
  EXPECT_EQ(data.dtype(), DType::kInt16);
  EXPECT_EQ(data.classes(), 3U);
  EXPECT_EQ(data.name(), "x.npy");
  std::vector<std::int16_t> read(4);
  std::vector<std::int32_t> read_labels(2);
  const std::vector<std::uint64_t> ids{2, 0};
  data.read(ids, std::as_writable_bytes(std::span(read)), read_labels);
  EXPECT_EQ(read, (std::vector<std::int16_t>{30, 31, 10, 11}));
  EXPECT_EQ(read_labels, (std::vector<std::int32_t>{1, 2}));
  EXPECT_EQ(data.contiguous().samples.data(), bytes_of(kValues).data());
  EXPECT_EQ(data.contiguous().labels[1], 0);
  EXPECT_EQ(ArrayDataset(samples(), labels(), 10).classes(), 10U);
  EXPECT_EQ(ArrayDataset(samples(), Labels{.values = {0, 1, 1}, .classes = 2}).classes(), 2U);
  EXPECT_THROW(ArrayDataset(samples(), Labels{}), std::invalid_argument);
}

TEST(ArrayDataset, HasTheHashOfTheSameIdxFiles) {
  const test::TempFolder folder;
  write_idx(folder / "images", {.dtype = DType::kInt16, .dims = {3, 2}}, bytes_of(kValues));
  write_idx(folder / "labels", {.dtype = DType::kUInt8, .dims = {3}}, bytes_of(kLabels));
  EXPECT_EQ(ArrayDataset(samples(), labels()).hash(),
            test::read_idx_pair(folder / "images", folder / "labels")->hash());
}

TEST(ArrayDataset, GivesTargets) {
  const std::vector<float> targets{0.5F, 1, 2, 3.25F, 4, -5};
  const Array rows{
      .name = "y.npy", .dtype = DType::kFloat32, .dims = {3, 2}, .data = bytes_of(targets)};
  const ArrayDataset data(samples(), rows, {}, Task::kRegression);
  EXPECT_EQ(data.size(), 3U);
  EXPECT_EQ(data.task(), Task::kRegression);
  EXPECT_EQ(data.targets(), 2U);
  EXPECT_EQ(data.label_words(), 2U);
  EXPECT_EQ(data.classes(), 0U);
  std::vector<std::int16_t> read(4);
  std::vector<std::int32_t> words(4);
  const std::vector<std::uint64_t> ids{2, 1};
  data.read(ids, std::as_writable_bytes(std::span(read)), words);
  EXPECT_EQ(read, (std::vector<std::int16_t>{30, 31, 20, 21}));
  EXPECT_EQ(target_of(words[0]), 4);
  EXPECT_EQ(target_of(words[1]), -5);
  EXPECT_EQ(target_of(words[2]), 2);
  EXPECT_EQ(target_of(words[3]), 3.25F);
  words.pop_back();
  EXPECT_THROW(data.read(ids, std::as_writable_bytes(std::span(read)), words),
               std::invalid_argument);
  EXPECT_EQ(data.labels().size(), 6U);
  EXPECT_EQ(data.shaped({{2, 1}})->targets(), 2U);
  EXPECT_THROW(ArrayDataset(samples(), Labels{.values = {0, 0, 0}, .targets = 2}),
               std::invalid_argument);
}

TEST(ArrayDataset, HashesTargetsAsOtherThanClasses) {
  const Labels classes{.values = {0, 1, 1}, .classes = 2};
  const Labels targets{.values = {0, 1, 1}, .targets = 1};
  EXPECT_EQ(ArrayDataset(samples(), classes).hash(), "553566c9f5299563b1dca9a265680f43");
  EXPECT_NE(ArrayDataset(samples(), targets).hash(), ArrayDataset(samples(), classes).hash());
}

TEST(ArrayDataset, IsShapedAnew) {
  const ArrayDataset flat(samples(), Labels{.values = {1, 0, 1}, .classes = 2}, {"a", "b"},
                          {{"x", "y"}, "label"});
  const auto shaped = flat.shaped({{2, 1}});
  EXPECT_EQ(shaped->shape(), (SampleShape{{2, 1}}));
  EXPECT_EQ(shaped->contiguous().samples.data(), flat.contiguous().samples.data()) << "no copy";
  EXPECT_EQ(shaped->labels()[0], 1);
  EXPECT_EQ(shaped->class_names(), flat.class_names());
  EXPECT_EQ(shaped->column_names(), flat.column_names());
  EXPECT_NE(shaped->hash(), flat.hash());
  EXPECT_THROW((void)flat.shaped({{3, 1}}), std::invalid_argument);
}

}  // namespace
}  // namespace millrace
