#include "formats/idx_pair.h"

#include <gtest/gtest.h>

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
