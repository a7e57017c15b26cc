#include "tools/trainer/evaluation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>

#include "formats/safetensors.h"
#include "tests/support/faulty_dataset.h"
#include "tests/support/files.h"
#include "tests/support/training.h"

namespace millrace {
namespace {

constexpr Device kOneThread{Device::Kind::kCpu, 0, 1};

// One trained run, and its data.
class EvaluationTest : public testing::Test {
 protected:
  EvaluationTest() {
    RunSpec spec = test::small_run();
    spec.checkpoint_dir = folder_ / "c";
    result_ = test::run(spec, data_.train, data_.test);
    model_ = load_model(folder_ / "c/last.safetensors");
  }
  Evaluation on(DataSplit split) const { return evaluate(model_, data_, split, kOneThread, 1); }

  test::TempFolder folder_;
  DataFolder data_{test::training_data(), test::test_data(), ""};
  RunResult result_;
  TrainedModel model_;
};

TEST_F(EvaluationTest, SaysWhatTrainingSaid) {
  const Evaluation test = on(DataSplit::kTest);
  EXPECT_EQ(test.metrics.accuracy(), result_.test_acc);
  EXPECT_EQ(test.metrics.mean_loss(), result_.test_loss);
  EXPECT_EQ(test.confusion.total(), 90U);
  EXPECT_EQ(test.confusion.correct(), test.metrics.correct);
  EXPECT_EQ(test.weights_hash, result_.weights_hash);
  const Evaluation validation = on(DataSplit::kValidation);
  EXPECT_EQ(validation.metrics.samples, 40U);
  EXPECT_EQ(validation.metrics.accuracy(), result_.history.back().val_acc);
  EXPECT_EQ(validation.metrics.mean_loss(), result_.history.back().val_loss);
  EXPECT_EQ(on(DataSplit::kTrain).metrics.samples, 260U);
}

TEST(EvaluationOfTargets, SaysWhatTrainingSaid) {
  const test::TempFolder folder;
  const auto numbers = [](std::uint64_t size, std::uint32_t seed) {
    return test::memory_dataset(
        {.size = size,
         .seed = seed,
         .columns = {.values = {}, .label = "", .targets = {"width", "height"}},
         .targets = 2});
  };
  const DataFolder data{numbers(300, 1), numbers(90, 7), ""};
  RunSpec spec = test::small_run();
  spec.optimizer = {0.05F, 0.9F};
  spec.checkpoint_dir = folder.path();
  const RunResult result = test::run(spec, data.train, data.test);
  const TrainedModel model = load_model(result.checkpoint);
  SampleOutputs outputs;
  const Evaluation found = evaluate(model, data, DataSplit::kTest, kOneThread, 1, &outputs);
  EXPECT_EQ(found.metrics.mean_loss(), result.test_loss);
  EXPECT_NEAR(*found.r2, *result.test_r2, 1e-6);
  ASSERT_EQ(found.errors->targets(), 2U);
  EXPECT_EQ(found.errors->samples(), 90U);
  EXPECT_EQ(outputs.targets.size(), 180U);
  EXPECT_EQ(outputs.logits.size(), 180U);
  EXPECT_TRUE(outputs.labels.empty());
  EXPECT_EQ(target_word(outputs.targets[5]), data.test->labels()[5]);
  const std::string text = render(found);
  EXPECT_NE(text.find("R²: "), std::string::npos) << text;
  EXPECT_NE(text.find("\nheight  "), std::string::npos) << text;
  const auto json = to_json(found);
  EXPECT_EQ(json.at("targets").at(1).at("name"), "height");
  EXPECT_EQ(json.at("targets").at(1).at("rmse"), found.errors->rmse(1));
  EXPECT_EQ(json.at("r2"), *found.r2);
  EXPECT_FALSE(json.contains("accuracy"));
  write_outputs(folder.path() / "o.safetensors", outputs, found);
  const SafetensorsFile file(folder.path() / "o.safetensors");
  const std::vector<std::uint64_t> shape{90, 2};
  EXPECT_EQ(file.require("predictions", DType::kFloat32, shape).values<float>(), outputs.logits);
  EXPECT_EQ(file.require("targets", DType::kFloat32, shape).values<float>(), outputs.targets);
}

TEST_F(EvaluationTest, TakesAllOfOtherTrainingData) {
  data_.train = test::memory_dataset({.size = 70, .seed = 9, .name = "other"});
  EXPECT_EQ(on(DataSplit::kTrain).metrics.samples, 70U);
  const std::string line = test::data_error_of([&] { on(DataSplit::kValidation); });
  EXPECT_NE(line.find("was trained on other data than other"), std::string::npos) << line;
}

TEST_F(EvaluationTest, RefusesASplitThatIsNotThere) {
  data_.test = nullptr;
  const std::string line = test::data_error_of([&] { on(DataSplit::kTest); });
  EXPECT_NE(line.find("no test files"), std::string::npos) << line;
}

TEST_F(EvaluationTest, RefusesDataOfAnotherShape) {
  data_.test = test::memory_dataset({.size = 9, .width = 21, .name = "wide"});
  const std::string line = test::data_error_of([&] { on(DataSplit::kTest); });
  EXPECT_NE(line.find("samples: model 20 uint8, wide 21 uint8"), std::string::npos) << line;
}

TEST_F(EvaluationTest, LeavesOutWhatCannotBeRead) {
  const auto whole = data_.test;
  data_.test = std::make_shared<const test::FaultyDataset>(whole, std::set<std::uint64_t>{3, 17});
  EXPECT_NE(test::data_error_of([&] { on(DataSplit::kTest); }).find("faulty.bin"),
            std::string::npos);
  std::vector<std::uint64_t> told;
  const LeavingOut leaving_out{.on_bad = OnBad::kSkip,
                               .budget = {.count = 2},
                               .tell = [&](const std::string& name, const BadSample& bad) {
                                 EXPECT_EQ(name, whole->name());
                                 told.push_back(bad.id);
                               }};
  SampleOutputs outputs;
  const Evaluation found =
      evaluate(model_, data_, DataSplit::kTest, kOneThread, 1, &outputs, leaving_out);
  EXPECT_EQ(told, (std::vector<std::uint64_t>{3, 17}));
  EXPECT_EQ(found.metrics.samples, whole->size() - 2);
  EXPECT_EQ(found.confusion.total(), whole->size() - 2);
  EXPECT_EQ(found.bad_samples, 2U);
  EXPECT_EQ(outputs.numbers.size(), whole->size() - 2);
  EXPECT_EQ(std::ranges::count(outputs.numbers, 17U), 0);
  EXPECT_EQ(outputs.numbers[3], 4U);
  EXPECT_NE(render(found).find("Bad samples: 2 left out (at most 2)\n"), std::string::npos);
  EXPECT_EQ(to_json(found).at("bad_samples"), 2);

  auto strict = leaving_out;
  strict.budget.count = 1;
  EXPECT_NE(test::data_error_of([&] {
              evaluate(model_, data_, DataSplit::kTest, kOneThread, 1, nullptr, strict);
            }).find("2 of 90 samples cannot be read, where the budget (--bad-budget) is 1"),
            std::string::npos);
}

TEST_F(EvaluationTest, RefusesASplitOfWhichNothingCanBeRead) {
  std::set<std::uint64_t> all;
  for (std::uint64_t i = 0; i < data_.test->size(); ++i) all.insert(i);
  data_.test = std::make_shared<const test::FaultyDataset>(data_.test, all);
  const LeavingOut leaving_out{.on_bad = OnBad::kSkip, .budget = {.count = 1000}, .tell = {}};
  EXPECT_NE(test::data_error_of([&] {
              evaluate(model_, data_, DataSplit::kTest, kOneThread, 1, nullptr, leaving_out);
            }).find("expected a sample that can be read, found none"),
            std::string::npos);
}

Evaluation of_classes(std::uint32_t classes) {
  Evaluation e;
  e.confusion = Confusion(classes);
  for (std::int32_t c = 0; c + 1 < static_cast<std::int32_t>(classes); ++c) {
    for (int i = 0; i < 900; ++i) e.confusion.add(c, c);
    e.confusion.add(c, c + 1);
  }
  return e;
}

void expect_columns(const std::string& text, std::size_t most) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), most) << line;
}

TEST(RenderEvaluation, ShowsATableThatFits) {
  const std::string text = render(of_classes(10));
  expect_columns(text, 80);
  EXPECT_NE(text.find("\n    8    .    .    .    .    .    .    .    .  900    1\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("\n    0      1.0000   0.9989   0.9994       901\n"), std::string::npos)
      << text;
  // Nothing of class 9, which is guessed once.
  EXPECT_NE(text.find("\n    9      0.0000        -   0.0000         0\n"), std::string::npos)
      << text;
}

TEST(RenderEvaluation, ShowsMistakesWhereATableWouldNotFit) {
  const std::string text = render(of_classes(26));
  expect_columns(text, 80);
  EXPECT_NE(text.find("Most frequent mistakes: truth, guess, samples\n    0       1         1\n"),
            std::string::npos)
      << text;
  EXPECT_EQ(text.find("Confusion:"), std::string::npos);
}

TEST(RenderEvaluation, CallsClassesByTheirNames) {
  Evaluation e;
  e.confusion = Confusion(3, {"ash", "silver birch", "a\nb" + std::string(60, 'x')});
  e.confusion.add(0, 1);
  e.confusion.add(2, 2);
  const std::string text = render(e);
  EXPECT_NE(text.find("\n                  silver birch      0.0000        -   0.0000         0\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("Most frequent mistakes"), std::string::npos) << text;
  EXPECT_NE(text.find(" ash                     silver birch         1\n"), std::string::npos)
      << text;
  EXPECT_EQ(to_json(e).at("classes").at(1).at("name"), "silver birch");
  e.confusion = Confusion(2, {"ash", "elm"});
  e.confusion.add(1, 0);
  EXPECT_NE(render(e).find("\n        ash   elm\n  ash     .     .\n  elm     1     .\n"),
            std::string::npos)
      << render(e);
}

TEST(RenderEvaluation, ShowsTheWorstOfVeryManyClasses) {
  EXPECT_EQ(render(of_classes(100)).find("lowest F1"), std::string::npos);
  Evaluation e = of_classes(2000);
  for (int i = 0; i < 7; ++i) e.confusion.add(1500, 0);
  const std::string text = render(e);
  EXPECT_LT(std::ranges::count(text, '\n'), 110);
  expect_columns(text, 80);
  // Never right, then right less often than the others.
  EXPECT_NE(text.find("samples\n 1999      0.0000        -   0.0000         0\n"
                      " 1500      0.9989   0.9912   0.9950       908\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("\nThe 100 of the lowest F1; 1900 more, which --json lists\n"),
            std::string::npos)
      << text;
  EXPECT_EQ(to_json(e).at("classes").size(), 2000U);
}

TEST(RenderEvaluation, SaysThatThereAreNoMistakes) {
  Evaluation e;
  e.confusion = Confusion(40);
  e.confusion.add(1, 1);
  EXPECT_NE(render(e).find("No mistakes\n"), std::string::npos);
}

TEST(EvaluationJson, HasWhatScriptsRead) {
  Evaluation e = of_classes(3);
  e.split = DataSplit::kValidation;
  e.metrics.loss_sum = 10.0;
  e.metrics.correct = 1800;
  e.metrics.samples = 1802;
  const auto json = to_json(e);
  EXPECT_EQ(json.at("split"), "validation");
  EXPECT_EQ(json.at("samples"), 1802);
  EXPECT_EQ(json.at("accuracy"), 1800.0 / 1802.0);
  EXPECT_EQ(json.at("loss"), 10.0 / 1802.0);
  EXPECT_EQ(json.at("confusion").dump(), "[[900,1,0],[0,900,1],[0,0,0]]");
  EXPECT_EQ(json.at("classes").at(0).at("recall"), 900.0 / 901.0);
  EXPECT_TRUE(json.at("classes").at(2).at("recall").is_null());
}

TEST(EvaluationJson, HasNoTableOfVeryManyClasses) {
  Evaluation e;
  e.confusion = Confusion(Confusion::kMostTabled + 1);
  EXPECT_TRUE(to_json(e).at("confusion").is_null());
}

}  // namespace
}  // namespace millrace
