#include "formats/dataset.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(SampleShape, CountsElements) {
  EXPECT_EQ((SampleShape{.dims = {28, 28}}.elements()), 784U);
  EXPECT_EQ((SampleShape{.dims = {784}}.elements()), 784U);
  EXPECT_EQ(SampleShape{}.elements(), 1U) << "a scalar has one element";
  EXPECT_EQ((SampleShape{.dims = {3, 0, 5}}.elements()), 0U);
}

TEST(SampleShape, ComparesDimensions) {
  EXPECT_EQ((SampleShape{.dims = {28, 28}}), (SampleShape{.dims = {28, 28}}));
  EXPECT_NE((SampleShape{.dims = {28, 28}}), (SampleShape{.dims = {784}}));
}

/// The least that a Dataset can be: what the base class adds shows.
class Nothing final : public Dataset {
 public:
  std::uint64_t size() const noexcept override { return 0; }
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

}  // namespace
}  // namespace millrace
