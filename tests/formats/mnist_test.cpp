// The real files, where they are to be had: facts that everybody knows of them.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>

#include "formats/folder.h"
#include "tests/support/files.h"

namespace millrace {
namespace {

double mean(std::span<const std::byte> pixels) {
  std::uint64_t sum = 0;
  for (const auto pixel : pixels) sum += std::to_integer<std::uint64_t>(pixel);
  return static_cast<double>(sum) / static_cast<double>(pixels.size()) / 255.0;
}

TEST(Mnist, IsWhatEverybodyKnows) {
  const auto folder = test::mnist_folder();
  if (folder.empty()) GTEST_SKIP() << "no MNIST: set MILLRACE_MNIST_DIR to its folder";
  const auto opened = open_folder(folder);
  const auto& train = opened.train;
  const auto& test = opened.test;
  ASSERT_TRUE(test);
  EXPECT_FALSE(opened.validation);
  EXPECT_EQ(train->size(), 60'000U);
  EXPECT_EQ(test->size(), 10'000U);
  for (const auto& set : {train, test}) {
    EXPECT_EQ(set->shape(), (SampleShape{.dims = {28, 28}}));
    EXPECT_EQ(set->dtype(), DType::kUInt8);
    EXPECT_EQ(set->classes(), 10U);
  }
  // The constants by which tutorials normalise.
  EXPECT_NEAR(mean(train->contiguous().samples), 0.1307, 0.00005);
  EXPECT_NEAR(mean(test->contiguous().samples), 0.1325, 0.00005);

  std::array<int, 10> counts{};
  for (const auto label : train->contiguous().labels) ++counts.at(static_cast<std::size_t>(label));
  EXPECT_EQ(counts,
            (std::array<int, 10>{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949}));
  EXPECT_EQ(train->contiguous().labels[0], 5);
  EXPECT_EQ(test->contiguous().labels[0], 7);
}

}  // namespace
}  // namespace millrace
