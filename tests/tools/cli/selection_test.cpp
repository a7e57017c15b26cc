#include "tools/cli/selection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <stdexcept>

#include "tests/support/files.h"
#include "tests/support/shards.h"

namespace millrace {
namespace {

/// The numbers of a part's samples: sample i of the whole holds i in its four bytes.
class Numbered final : public Dataset {
 public:
  explicit Numbered(std::uint64_t size) : size_(size) {}
  std::uint64_t size() const noexcept override { return size_; }
  const SampleShape& shape() const noexcept override { return shape_; }
  DType dtype() const noexcept override { return DType::kInt32; }
  std::uint32_t classes() const noexcept override { return 10; }
  std::string name() const override { return "numbered"; }
  std::string hash() const override { return {}; }
  void read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
            std::span<std::int32_t> labels) const override {
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const auto number = static_cast<std::int32_t>(ids[i]);
      std::memcpy(&samples[4 * i], &number, 4);
      labels[i] = number % 10;
    }
  }

 private:
  std::uint64_t size_;
  SampleShape shape_{{1}};
};

std::vector<std::int32_t> numbers(const Dataset& part) {
  std::vector<std::uint64_t> ids(part.size());
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = i;
  std::vector<std::int32_t> found(ids.size());
  std::vector<std::int32_t> labels(ids.size());
  part.read(ids, std::as_writable_bytes(std::span(found)), labels);
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(labels[i], found[i] % 10);
  return found;
}

TEST(Split, CutsEverySampleIntoOneOfTwoParts) {
  for (const std::uint64_t size : {2, 3, 100, 1000, 5000}) {
    const auto parts = split_randomly(std::make_shared<Numbered>(size), 0.9, 0.1, 7);
    const auto train = numbers(*parts.train);
    const auto test = numbers(*parts.test);
    EXPECT_TRUE(std::ranges::is_sorted(train));
    EXPECT_TRUE(std::ranges::is_sorted(test));
    std::set<std::int32_t> all(train.begin(), train.end());
    all.insert(test.begin(), test.end());
    EXPECT_EQ(all.size(), size);
    EXPECT_EQ(train.size() + test.size(), size);
    if (size >= 100) {
      EXPECT_EQ(test.size(), size / 10);
    }
  }
}

TEST(Split, IsAFunctionOfSeedSharesAndSize) {
  const auto data = std::make_shared<Numbered>(1000);
  const auto of = [&](std::uint64_t seed, double train) {
    return numbers(*split_randomly(data, train, 0.1, seed).test);
  };
  EXPECT_EQ(of(1, 0.9), of(1, 0.9));
  EXPECT_NE(of(1, 0.9), of(2, 0.9));
  EXPECT_EQ(numbers(*split_randomly(data, 0.25, 0.1, 1).train).size(), 250U);
  EXPECT_EQ(of(1, 0.25).size(), 100U);
}

TEST(Split, RefusesSharesThatAreNone) {
  const auto data = std::make_shared<Numbered>(10);
  EXPECT_THROW(split_randomly(data, 0.9, 0.2, 0), std::invalid_argument);
  EXPECT_THROW(split_randomly(data, 0.0, 0.2, 0), std::invalid_argument);
  EXPECT_NE(test::data_error_of([] {
              split_randomly(std::make_shared<Numbered>(1), 0.5, 0.5, 0);
            }).find("expected two samples to split, found one"),
            std::string::npos);
}

TEST(Selection, HasTheHashOfTheSameDataInFiles) {
  const test::ShardedFolder set({40, 2});
  const auto whole = set.open_whole();
  std::vector<std::uint64_t> ids(42);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = i;
  EXPECT_EQ(Selection(whole, ids).hash(), whole->hash());
  std::swap(ids[3], ids[4]);
  EXPECT_NE(Selection(whole, ids).hash(), whole->hash());
  EXPECT_THROW(Selection(whole, {42}), std::invalid_argument);
  EXPECT_THROW(Selection(whole, {}), std::invalid_argument);
}

}  // namespace
}  // namespace millrace
