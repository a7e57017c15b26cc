#include "train/trained_model.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "formats/error.h"
#include "tests/support/fake_dataset.h"
#include "tests/support/files.h"
#include "tests/support/training.h"

namespace millrace {
namespace {

class TrainedModelTest : public ::testing::Test {
 protected:
  TrainedModelTest() {
    RunSpec spec = test::small_run();
    spec.epochs = 1;
    spec.checkpoint_dir = folder_ / "c";
    test::run(spec);
    model_ = load_model(folder_ / "c/last.safetensors");
  }
  std::string refusal(test::MemoryDataset::Options options) const {
    const auto data = test::memory_dataset(std::move(options));
    return test::data_error_of([&] { check_goes_with(model_, *data); });
  }

  test::TempFolder folder_;
  TrainedModel model_;
};

TEST_F(TrainedModelTest, KnowsWhatItTakes) {
  EXPECT_EQ(model_.widths(), "20-12-8-5");
  EXPECT_EQ(model_.sample_shape().dims, (std::vector<std::uint64_t>{20}));
  EXPECT_EQ(model_.spec.input, InputType::kUInt8);
}

TEST_F(TrainedModelTest, KnowsTheSizeOfItsImages) {
  EXPECT_EQ(known_data(model_).image, ImageOptions{}) << "vectors";
  EXPECT_EQ(known_data(model_).shape, std::nullopt);
  auto& sample = model_.checkpoint.state.options.sample;
  sample.shape = {4, 5};
  const ImageOptions grey{.resize = ImageSize{.width = 5, .height = 4},
                          .channels = ImageChannels::kGray};
  EXPECT_EQ(known_data(model_).image, grey);
  EXPECT_EQ(known_data(model_).shape, model_.sample_shape());
  sample.shape = {3, 4, 5};
  EXPECT_EQ(known_data(model_).image, ImageOptions{}) << "planes, which no folder has";
  sample.shape = {4, 5, 3};
  EXPECT_EQ(known_data(model_).image.channels, ImageChannels::kRgb);
  sample.input = InputType::kFloat32;
  EXPECT_EQ(known_data(model_).image, ImageOptions{});
}

TEST_F(TrainedModelTest, GoesWithDataOfItsKind) {
  check_goes_with(model_, *test::test_data());
  check_goes_with(model_, *test::memory_dataset({.size = 3, .classes = 2, .width = 20}));
}

struct Floats : testing::FakeDataset {
  Floats() : FakeDataset(3, 20, DType::kFloat32) {}
  std::uint32_t classes() const noexcept override { return 5; }
};

TEST_F(TrainedModelTest, TakesNumbersOfAnyTypeWhereItStandardisesThem) {
  const auto floats = std::make_shared<const Floats>();
  EXPECT_THROW(seen_by(model_, floats), DataError);
  auto& sample = model_.checkpoint.state.options.sample;
  sample.standardizer = std::make_shared<const Standardizer>(
      Standardizer{std::vector<float>(20, 1.0F), std::vector<float>(20, 2.0F)});
  EXPECT_EQ(seen_by(model_, floats)->dtype(), DType::kFloat32);
  EXPECT_EQ(seen_by(model_, test::test_data())->dtype(), DType::kFloat32);
  sample.shape = {4, 5};  // pixels of bytes are not those of floats
  EXPECT_THROW(seen_by(model_, floats), DataError);
}

TEST_F(TrainedModelTest, SaysAllThatDiffers) {
  const std::string line = refusal({.size = 3, .classes = 7, .width = 21, .name = "other"});
  EXPECT_NE(line.find("last.safetensors"), std::string::npos) << line;
  EXPECT_NE(line.find("samples: model 20 uint8, other 21 uint8"), std::string::npos) << line;
  EXPECT_NE(line.find("classes: model 5, other 7"), std::string::npos) << line;
}

TEST_F(TrainedModelTest, KnowsItsClassesByTheirNames) {
  model_.checkpoint.state.class_names = {"ash", "elm", "fir", "oak", "yew"};
  check_goes_with(model_, *test::test_data());  // which calls them by numbers
  const auto with = [](const std::vector<std::string>& names) {
    return test::MemoryDataset::Options{.size = 3,
                                        .classes = static_cast<std::uint32_t>(names.size()),
                                        .width = 20,
                                        .name = "trees",
                                        .class_names = names};
  };
  check_goes_with(model_, *test::memory_dataset(with({"ash", "elm", "fir", "oak", "yew"})));
  const std::string other = refusal(with({"ash", "fir", "elm", "oak", "yew"}));
  EXPECT_NE(other.find("class 1: model \"elm\", trees \"fir\""), std::string::npos) << other;
  const std::string fewer = refusal(with({"ash", "elm", "fir"}));
  EXPECT_NE(fewer.find("class 3: model \"oak\", trees none"), std::string::npos) << fewer;
}

TEST_F(TrainedModelTest, KnowsItsColumnsByTheirNames) {
  auto& columns = model_.checkpoint.state.columns;
  for (int i = 0; i < 20; ++i) columns.values.push_back("c" + std::to_string(i));
  columns.label = "kind";
  model_.checkpoint.state.class_names = {"ash", "elm", "fir", "oak", "yew"};
  const auto known = known_data(model_);
  ASSERT_TRUE(known.columns.has_value());
  EXPECT_EQ(known.columns->names, columns);
  EXPECT_EQ(known.columns->of, model_.path);
  EXPECT_EQ(known.class_names, model_.checkpoint.state.class_names);
  EXPECT_FALSE(known.as_float);

  test::MemoryDataset::Options table{.size = 3, .width = 20, .name = "t", .columns = columns};
  const auto same = test::memory_dataset(table);
  check_goes_with(model_, *same);
  EXPECT_FALSE(matched_by_place(model_, *same));
  std::swap(table.columns.values[3], table.columns.values[7]);
  EXPECT_NE(refusal(table).find("column 4: model \"c3\", t \"c7\""), std::string::npos);
  EXPECT_EQ(matched_by_place(model_, *test::memory_dataset({.width = 20, .name = "t"})),
            "t: there are no names for its columns: values are taken by their places");
  columns = {};
  check_goes_with(model_, *same);
  EXPECT_EQ(matched_by_place(model_, *same),
            "t: the model has no names for its columns: values are taken by their places");
  EXPECT_FALSE(known_data(model_).columns.has_value());
  columns.label = "3";
  EXPECT_EQ(known_data(model_).columns.value().names, columns);
  // Names that a checkpoint could not keep as they were.
  model_.checkpoint.state.class_names[1] = "\ufffdlm";
  EXPECT_TRUE(known_data(model_).class_names.empty());
}

TEST_F(TrainedModelTest, TellsShapesOfAsManyValuesApart) {
  model_.checkpoint.state.options.sample.shape = {4, 5};
  EXPECT_NE(refusal({.size = 3, .width = 20, .name = "x"}).find("model 4x5 uint8, x 20 uint8"),
            std::string::npos);
  // A checkpoint of an older version knows the number alone.
  model_.checkpoint.state.options.sample.shape = {};
  check_goes_with(model_, *test::test_data());
}

TEST_F(TrainedModelTest, BecomesAnEngineWithItsParameters) {
  const auto engine = make_engine(model_, {Device::Kind::kCpu, 0, 1});
  EXPECT_EQ(engine->parameters(), model_.checkpoint.parameters);
}

}  // namespace
}  // namespace millrace
