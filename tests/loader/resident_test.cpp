#include "loader/resident.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <vector>

#include "tests/support/fake_dataset.h"

namespace millrace {
namespace {

using testing::FakeDataset;

TEST(Resident, IsTheDataSetsOwnMemoryWhereThatFits) {
  for (const DType type : {DType::kUInt8, DType::kFloat32}) {
    auto data = std::make_shared<FakeDataset>(3000, 5, type);
    const ContiguousView view = data->contiguous();
    const std::weak_ptr<FakeDataset> watch = data;
    ResidentSet set =
        resident_samples(data, type == DType::kUInt8 ? InputType::kUInt8 : InputType::kFloat32);
    EXPECT_EQ(set.samples.data(), view.samples.data());
    EXPECT_EQ(set.samples.size(), view.samples.size());
    EXPECT_EQ(set.labels.data(), view.labels.data());
    data.reset();
    EXPECT_FALSE(watch.expired());  // the set keeps it
    set.owner.reset();
    EXPECT_TRUE(watch.expired());
  }
}

TEST(Resident, IsACopyOtherwiseAndLetsTheDataSetGo) {
  auto data = std::make_shared<FakeDataset>(3000, 5, DType::kUInt8, FakeDataset::Access::kReadOnly);
  const std::vector<std::byte> expected(data->bytes().begin(), data->bytes().end());
  const std::weak_ptr<FakeDataset> watch = data;
  const ResidentSet set = resident_samples(data, InputType::kUInt8);
  data.reset();
  EXPECT_TRUE(watch.expired());
  EXPECT_EQ(std::vector<std::byte>(set.samples.begin(), set.samples.end()), expected);
  ASSERT_EQ(set.labels.size(), 3000U);
  for (std::int32_t i = 0; i < 3000; ++i) ASSERT_EQ(set.labels[static_cast<std::size_t>(i)], i);
}

TEST(Resident, ConvertsToFloat32) {
  for (const auto access : {FakeDataset::Access::kContiguous, FakeDataset::Access::kReadOnly}) {
    const auto data = std::make_shared<FakeDataset>(2500, 3, DType::kInt16, access);
    const ResidentSet set = resident_samples(data, InputType::kFloat32);
    ASSERT_EQ(set.samples.size(), 2500 * 3 * sizeof(float));
    for (std::size_t i = 0; i < 2500 * 3; ++i) {
      std::int16_t stored = 0;
      float value = 0;
      std::memcpy(&stored, data->bytes().data() + i * 2, 2);
      std::memcpy(&value, set.samples.data() + i * 4, 4);
      ASSERT_EQ(value, static_cast<float>(stored));
    }
  }
}

TEST(Resident, PassesOnErrors) {
  const auto data =
      std::make_shared<FakeDataset>(2500, 3, DType::kInt16, FakeDataset::Access::kReadOnly);
  EXPECT_THROW(resident_samples(data, InputType::kUInt8), std::invalid_argument);
  data->fail_at(2400);
  EXPECT_THROW(resident_samples(data, InputType::kFloat32), DataError);
}

}  // namespace
}  // namespace millrace
