#include "tools/model/trained_model.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/files.h"
#include "tests/support/training.h"

namespace millrace {
namespace {

class TrainedModelTest : public testing::Test {
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

TEST_F(TrainedModelTest, GoesWithDataOfItsKind) {
  check_goes_with(model_, *test::test_data());
  check_goes_with(model_, *test::memory_dataset({.size = 3, .classes = 2, .width = 20}));
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
