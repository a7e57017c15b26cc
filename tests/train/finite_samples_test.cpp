#include "train/finite_samples.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

#include "tests/support/fake_dataset.h"
#include "tests/support/files.h"

namespace millrace {
namespace {

using testing::FakeDataset;

constexpr std::uint64_t kElements = 3000;

struct Zeros : FakeDataset {
  explicit Zeros(DType type) : FakeDataset(200, kElements, type) {
    std::ranges::fill(bytes(), std::byte{0});
  }
};

template <typename T>
void set(FakeDataset& data, std::uint64_t sample, std::uint64_t element, T value) {
  std::memcpy(&data.bytes()[(sample * kElements + element) * sizeof(T)], &value, sizeof(T));
}

std::string told(const FakeDataset& data) {
  return test::data_error_of([&] { check_finite_samples(data); });
}

TEST(FiniteSamples, NamesTheFirstValueThatIsNot) {
  Zeros data(DType::kFloat32);
  set(data, 0, 0, std::numeric_limits<float>::max());
  EXPECT_NO_THROW(check_finite_samples(data));
  set(data, 199, 1, std::numeric_limits<float>::quiet_NaN());
  set(data, 150, 2999, -std::numeric_limits<float>::infinity());
  EXPECT_EQ(told(data),
            "fake: sample 150, element 2999: expected a number that is finite as float32, found "
            "-inf");
}

TEST(FiniteSamples, NamesWhatIsTooLargeForFloat32) {
  Zeros data(DType::kFloat64);
  set(data, 7, 5, 1e300);
  EXPECT_EQ(told(data),
            "fake: sample 7, element 5: expected a number that is finite as float32, found 1e+300");
}

TEST(FiniteSamples, PassesOverIntegersAndWhatCannotBeRead) {
  const FakeDataset bytes(200, kElements);
  EXPECT_NO_THROW(check_finite_samples(bytes));
  EXPECT_EQ(bytes.reads(), 0U);
  Zeros data(DType::kFloat32);
  set(data, 20, 0, std::numeric_limits<float>::quiet_NaN());
  data.fail_at(20);
  EXPECT_NO_THROW(check_finite_samples(data));
  set(data, 21, 0, std::numeric_limits<float>::infinity());
  EXPECT_NE(told(data).find("sample 21, element 0"), std::string::npos);
}

}  // namespace
}  // namespace millrace
