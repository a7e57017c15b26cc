#include "tools/model/table_samples.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/files.h"

namespace millrace {
namespace {

class TableSamplesTest : public testing::Test {
 protected:
  TableSamplesTest() {
    model_.path = "m";
    model_.spec.features = 3;
    model_.spec.classes = 2;
    auto& state = model_.checkpoint.state;
    state.options.sample.shape = {3};
    takes(InputType::kFloat32);
    state.class_names = {"lily", "rose"};
    state.columns = {.values = {"a", "b", "c"}, .label = "kind"};
  }
  void takes(InputType type) {
    model_.spec.input = model_.checkpoint.state.options.sample.input = type;
  }
  std::filesystem::path write(std::string_view text) const {
    return test::write_bytes(folder_ / "t.csv", test::make_bytes(text));
  }
  /// Of the first sample.
  std::vector<float> values_of(std::string_view text) const {
    const auto data = open_table(model_, write(text)).data;
    std::vector<float> values(3);
    std::int32_t label = 1;
    const std::uint64_t first = 0;
    data->read({&first, 1}, std::as_writable_bytes(std::span(values)), {&label, 1});
    EXPECT_EQ(label, 0);
    return values;
  }
  std::string error_of(std::string_view text) const {
    return test::data_error_of([&] { (void)open_table(model_, write(text)); });
  }

  void learns(std::vector<std::string> targets) {
    model_.spec.loss = Loss::kSquaredError;
    model_.spec.classes = static_cast<std::uint32_t>(targets.size());
    auto& state = model_.checkpoint.state;
    state.class_names.clear();
    state.columns.label.clear();
    state.columns.targets = std::move(targets);
  }

  test::TempFolder folder_;
  TrainedModel model_;
};

TEST(TableName, EndsInCsv) {
  EXPECT_TRUE(is_table_name("a/New.CSV"));
  EXPECT_TRUE(is_table_name("new.csv.gz"));
  EXPECT_FALSE(is_table_name("new.csv.png"));
}

TEST_F(TableSamplesTest, AreFoundByTheNamesOfTheirColumns) {
  const std::vector<float> expected{1, 2, 3};
  EXPECT_EQ(values_of("a,b,c\n1,2,3\n"), expected);
  EXPECT_EQ(values_of("c,a,b\n3,1,2\n"), expected);
  EXPECT_EQ(values_of("c,kind,a,b\n3,tulip,1,2\n"), expected) << "of a class nobody knows";
  EXPECT_EQ(values_of("kind,c,a,b\n,3,1,2\n"), expected) << "of none";
  EXPECT_EQ(error_of("a,b\n1,2\n"), (folder_ / "t.csv").string() +
                                        ": line 1: expected the columns of m, found none called "
                                        "\"c\"");
  EXPECT_NE(error_of("id,a,b,c\n1,2,3,4\n").find("found \"id\" in column 1 besides"),
            std::string::npos);
  EXPECT_NE(error_of("1,2,3\n").find("expected a header with the columns of m"), std::string::npos);
}

TEST_F(TableSamplesTest, AreFoundByTheirPlacesWhereThereAreNoNames) {
  const std::vector<float> expected{1, 2, 3};
  auto& columns = model_.checkpoint.state.columns;
  columns = {.values = {}, .label = "2"};
  EXPECT_EQ(values_of("1,2,3\n"), expected);
  EXPECT_EQ(values_of("7,rose,2,3\n4,lily,5,6\n"), (std::vector<float>{7, 2, 3}));
  EXPECT_EQ(error_of("1,2\n"), (folder_ / "t.csv").string() +
                                   ": line 1: expected 3 columns of values, and perhaps one of "
                                   "labels, found 2 columns");
  columns.label.clear();  // of arrays
  EXPECT_EQ(values_of("x,y,z\n1,2,3\n"), expected);
}

TEST_F(TableSamplesTest, HaveTheModelsShapeAndType) {
  model_.checkpoint.state.columns = {};
  model_.checkpoint.state.options.sample.shape = {1, 3};
  EXPECT_EQ(open_table(model_, write("1,2,3\n")).data->shape(), (SampleShape{{1, 3}}));
  takes(InputType::kUInt8);
  EXPECT_EQ(open_table(model_, write("1,2,3\n")).data->dtype(), DType::kUInt8);
  EXPECT_NE(error_of("1,2,300\n").find("samples: model 1x3 uint8"), std::string::npos);
}

TEST_F(TableSamplesTest, TargetsNeedNotBeThereAndAreNotLookedAt) {
  learns({"price", "tax"});
  for (const std::string_view text :
       {"b,price,a,tax,c\n20,?,10,?,30\n", "c,a,b\n30,10,20\n", "b,tax,a,c\n20,7,10,30\n"}) {
    const auto data = open_table(model_, write(text)).data;
    EXPECT_EQ(data->targets(), 2U);
    std::vector<float> values(3);
    std::vector<std::int32_t> label(2, 1);
    const std::uint64_t first = 0;
    data->read({&first, 1}, std::as_writable_bytes(std::span(values)), label);
    EXPECT_EQ(values, (std::vector<float>{10, 20, 30})) << text;
    EXPECT_EQ(label, (std::vector<std::int32_t>{0, 0}));
  }
}

}  // namespace
}  // namespace millrace
