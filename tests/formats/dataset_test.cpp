#include "formats/dataset.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

namespace millrace {
namespace {

TEST(SampleShape, CountsElements) {
  EXPECT_EQ((SampleShape{.dims = {28, 28}}.elements()), 784U);
  EXPECT_EQ((SampleShape{.dims = {784}}.elements()), 784U);
  EXPECT_EQ(SampleShape{}.elements(), 1U) << "a scalar has one element";
  EXPECT_EQ((SampleShape{.dims = {3, 0, 5}}.elements()), 0U);
}

TEST(SampleShape, SaysItselfInMessages) {
  EXPECT_EQ((SampleShape{.dims = {32, 32, 3}}.text()), "32x32x3");
  EXPECT_EQ((SampleShape{.dims = {784}}.text()), "784");
  EXPECT_EQ(SampleShape{}.text(), "one value");
}

TEST(SampleShape, ComparesDimensions) {
  EXPECT_EQ((SampleShape{.dims = {28, 28}}), (SampleShape{.dims = {28, 28}}));
  EXPECT_NE((SampleShape{.dims = {28, 28}}), (SampleShape{.dims = {784}}));
}

/// The least that a Dataset can be: what the base class adds shows.
class Nothing final : public Dataset {
 public:
  std::uint64_t size() const noexcept override { return 2; }
  const SampleShape& shape() const noexcept override { return shape_; }
  DType dtype() const noexcept override { return DType::kInt16; }
  std::uint32_t classes() const noexcept override { return 1; }
  std::string name() const override { return "nothing"; }
  std::string hash() const override { return {}; }
  void read(std::span<const std::uint64_t>, std::span<std::byte>,
            std::span<std::int32_t>) const override {}

 private:
  SampleShape shape_{.dims = {3, 4}};
};

TEST(Dataset, SampleBytesAreElementsTimesTheirSize) { EXPECT_EQ(Nothing().sample_bytes(), 24U); }

TEST(Dataset, IsNotContiguousUnlessItSaysSo) {
  const auto view = Nothing().contiguous();
  EXPECT_TRUE(view.samples.empty());
  EXPECT_TRUE(view.labels.empty());
}

TEST(Dataset, ReadChecksRoomAndIds) {
  std::vector<std::byte> samples(48);
  std::vector<std::int32_t> labels(2);
  const std::vector<std::uint64_t> sound{1, 0};
  const std::vector<std::uint64_t> beyond{1, 2};
  check_read(Nothing(), sound, samples, labels);
  EXPECT_THROW(check_read(Nothing(), beyond, samples, labels), std::out_of_range);
  EXPECT_THROW(check_read(Nothing(), sound, std::span(samples).first(47), labels),
               std::invalid_argument);
  EXPECT_THROW(check_read(Nothing(), sound, samples, std::span(labels).first(1)),
               std::invalid_argument);
}

TEST(Task, GoesByItsName) {
  for (const Task task : {Task::kClassification, Task::kRegression}) {
    EXPECT_EQ(task_called(name_of(task)), task);
  }
  EXPECT_EQ(task_called("Regression"), std::nullopt);
}

}  // namespace
}  // namespace millrace
