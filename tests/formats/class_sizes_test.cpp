#include "formats/class_sizes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "formats/array_dataset.h"
#include "formats/seekable_dataset.h"
#include "tests/support/files.h"
#include "tests/support/idx_files.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/seekable.h"

namespace millrace {
namespace {

std::string text_of(std::vector<std::uint64_t> sizes) { return empty_classes_text(sizes); }

TEST(ClassSizes, CountsLabelsInMemory) {
  const auto data = test::memory_dataset({.size = 300, .classes = 5});
  const auto view = data->contiguous();
  const auto sizes = class_sizes(*data);
  ASSERT_EQ(sizes.size(), 5U);
  for (std::int32_t c = 0; c < 5; ++c) {
    EXPECT_EQ(sizes[static_cast<std::size_t>(c)],
              static_cast<std::uint64_t>(std::ranges::count(view.labels, c)));
  }
  EXPECT_TRUE(class_sizes(*test::memory_dataset({.contiguous = false})).empty());
  const std::vector<std::uint8_t> bytes(4);
  const ArrayDataset targets({.name = "x", .dims = {2, 2}, .data = test::bytes_of(bytes)},
                             Labels{.values = {0, target_word(0.5F)}, .targets = 1});
  EXPECT_TRUE(class_sizes(targets).empty()) << "targets are of no class";
}

TEST(ClassSizes, CountsThoseOfImagesOnDisk) {
  const test::TempFolder folder;
  test::write_seekable(folder / "train-images-idx3-ubyte.zst", {100, 28, 28});
  const auto labels = test::write_bytes(folder / "labels", test::small_labels(100, 3));
  const SeekableDataset data(folder / "train-images-idx3-ubyte.zst", read_idx(labels), 5);
  EXPECT_EQ(class_sizes(data), (std::vector<std::uint64_t>{34, 33, 33, 0, 0}));
}

TEST(ClassSizes, SaysWhichClassesAreEmpty) {
  EXPECT_EQ(text_of({}), "");
  EXPECT_EQ(text_of({3, 1}), "");
  EXPECT_EQ(text_of({0, 1, 1}), "class 0 of 3 has no sample");
  std::vector<std::uint64_t> one_bad(201, 0);
  for (std::size_t c = 0; c < 10; ++c) one_bad[c] = 6000;
  one_bad[200] = 1;
  EXPECT_EQ(text_of(one_bad), "classes 10 to 199 of 201 have no sample");
}

TEST(ClassSizes, NamesThreeRanges) {
  EXPECT_EQ(text_of({0, 1, 0, 0, 1, 0}), "classes 0, 2 to 3, 5 of 6 have no sample");
  EXPECT_EQ(text_of({0, 1, 0, 1, 0, 1, 0, 0, 1, 0}),
            "classes 0, 2, 4 and 3 more of 10 have no sample");
}

}  // namespace
}  // namespace millrace
