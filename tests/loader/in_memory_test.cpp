#include "loader/in_memory.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <vector>

#include "formats/error.h"
#include "tests/support/faulty_dataset.h"
#include "tests/support/memory_dataset.h"

namespace millrace {
namespace {

TEST(InMemory, HasTheSameSamples) {
  for (const std::uint32_t targets : {0U, 2U}) {
    test::MemoryDataset::Options options{.contiguous = false};
    options.class_names = {"a", "b", "c", "d", "e"};
    options.targets = targets;
    const auto data = test::memory_dataset(options);
    const auto kept = in_memory(data);
    ASSERT_NE(kept, data);
    EXPECT_EQ(kept->size(), data->size());
    EXPECT_EQ(kept->shape(), data->shape());
    EXPECT_EQ(kept->dtype(), data->dtype());
    EXPECT_EQ(kept->classes(), data->classes());
    EXPECT_EQ(kept->targets(), data->targets());
    EXPECT_EQ(kept->class_names(), data->class_names());
    EXPECT_EQ(&kept->column_names(), &data->column_names());
    EXPECT_EQ(kept->name(), data->name());
    EXPECT_EQ(kept->hash(), data->hash());
    EXPECT_EQ(kept->contiguous().samples.size(), data->size() * data->sample_bytes());
    EXPECT_EQ(kept->labels().size(), data->size() * data->label_words());
    const std::vector<std::uint64_t> ids{299, 0, 17, 17};
    const auto read = [&](const Dataset& from) {
      std::pair<std::vector<std::byte>, std::vector<std::int32_t>> found;
      found.first.resize(ids.size() * from.sample_bytes());
      found.second.resize(ids.size() * from.label_words());
      from.read(ids, found.first, found.second);
      return found;
    };
    EXPECT_EQ(read(*kept), read(*data));
    std::vector<std::byte> sample(data->sample_bytes());
    std::vector<std::int32_t> label(data->label_words());
    EXPECT_THROW(kept->read(std::vector<std::uint64_t>{300}, sample, label), std::out_of_range);
  }
}

TEST(InMemory, CopiesNothingThatIsThere) {
  const auto data = test::memory_dataset({});
  EXPECT_EQ(in_memory(data), data);
}

TEST(InMemory, NamesWhatCannotBeRead) {
  const auto faulty = std::make_shared<const test::FaultyDataset>(
      test::memory_dataset({.contiguous = false}), std::set<std::uint64_t>{3});
  EXPECT_THROW(in_memory(faulty), DataError);
}

}  // namespace
}  // namespace millrace
