#include "tools/trainer/option_checks.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/tools/usage_error.h"

namespace millrace {
namespace {

using test::make_bytes;
using test::TempFolder;
using test::usage_error_of;
using test::write_bytes;
using Arguments = std::vector<std::string>;

std::string error(const Arguments& arguments) {
  return usage_error_of([&] { parse_options(arguments); });
}

struct Idle {
  Arguments arguments;
  const char* message;
};
void PrintTo(const Idle& r, std::ostream* out) { *out << r.message; }

class AnOptionWithoutEffect : public ::testing::TestWithParam<Idle> {};

TEST_P(AnOptionWithoutEffect, IsRefusedEvenWithItsUsualValue) {
  EXPECT_EQ(error(GetParam().arguments), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    All, AnOptionWithoutEffect,
    ::testing::Values(
        Idle{{"--beta1", "0.9"}, "--beta1: expected --optimizer adam or adamw with it, found sgd"},
        Idle{{"--beta2", "0.99", "--optimizer", "nesterov", "--momentum", "0.9"},
             "--beta2: expected --optimizer adam or adamw with it, found nesterov"},
        Idle{{"--epsilon", "1e-8"},
             "--epsilon: expected --optimizer adam or adamw with it, found sgd"},
        Idle{{"--gamma", "0.5"}, "--gamma: expected --schedule step with it, found constant"},
        Idle{{"--step-epochs", "10", "--schedule", "cosine"},
             "--step-epochs: expected --schedule step with it, found cosine"},
        Idle{{"--loss", "mse"}, "--loss: expected --task regression with it, found classification"},
        Idle{{"--standardize-targets", "on", "--task", "classification"},
             "--standardize-targets: expected --task regression with it, found classification"},
        Idle{{"--target-r2", "0.5"},
             "--target-r2: expected --task regression with it, found classification"},
        Idle{{"--label-smoothing", "0", "--task", "regression"},
             "--label-smoothing: expected --task classification with it, found regression"},
        Idle{{"--class-weights", "balanced", "--task", "regression"},
             "--class-weights: expected --task classification with it, found regression"},
        Idle{
            {"--target-acc", "0.9", "--task", "regression"},
            "--target-acc: expected --task classification or multilabel with it, found regression"},
        Idle{{"--elastic-sigma", "4", "--rotate", "5"},
             "--elastic-sigma: expected --elastic with it, found none"},
        Idle{{"--shuffle-window", "32", "--residency", "host"},
             "--shuffle-window: expected --residency stream or auto with it, found host"},
        Idle{{"--shuffle-window", "64", "--residency", "resident"},
             "--shuffle-window: expected --residency stream or auto with it, found resident"},
        Idle{{"--bad-budget", "0.001"},
             "--bad-budget: expected --on-bad skip or substitute with it, found fail"},
        Idle{{"--quarantine", "q"},
             "--quarantine: expected --on-bad skip or substitute with it, found fail"},
        Idle{{"--initializer", "pytorch", "--resume", "f"},
             "--initializer: expected no --resume FILE with it, which has the weights, found 'f'"},
        Idle{{"--init", "g", "--resume", "f"},
             "--init: expected no --resume FILE with it, which has the weights, found 'f'"},
        Idle{{"--keep", "3", "--checkpoint-dir", "c"},
             "--keep: expected --checkpoint-every with it, found none"},
        Idle{{"--threads", "2", "--device", "cuda:1"},
             "--threads: expected --device cpu or auto with it, found cuda"},
        Idle{{"--dropout", "0.1", "--hidden", "none"},
             "--dropout: expected a hidden layer to do it to, found --hidden none"}));

TEST(CheckOptions, ASwitchThatIsOffIsNoMistake) {
  EXPECT_NO_THROW(parse_options({"--hidden", "none", "--batch-norm", "off", "--dropout", "0"}));
  EXPECT_NO_THROW(parse_options({"--optimizer", "adam", "--momentum", "0"}));
  EXPECT_NO_THROW(parse_options({"--checkpoint-every", "0"}));
}

TEST(CheckOptions, WhatMayHaveAnEffectIsTaken) {
  EXPECT_EQ(parse_options({"--shuffle-window", "8"}).run.window_bytes, std::uint64_t{8} << 20U);
  EXPECT_TRUE(parse_options({"--shuffle-window", "32"}).window_given);
  EXPECT_FALSE(parse_options({}).window_given);
  // Where there is no checkpoint yet a new run starts with it: the command that goes on has it too.
  EXPECT_NO_THROW(parse_options({"--initializer", "he", "--resume", "--checkpoint-dir", "c"}));
}

TEST(CheckOptions, ATargetIsAShareThatCanBeReached) {
  for (const char* text : {"0", "1.01", "98", "-1", "nan"}) {
    const std::string message = error({"--target-acc", text});
    EXPECT_TRUE(
        message.starts_with("--target-acc: expected a number above 0 and at most 1, found ") ||
        message.starts_with("--target-acc: expected a finite number of at least 0, found "))
        << message;
  }
  EXPECT_EQ(parse_options({"--target-acc", "1"}).run.stopping.target_accuracy, 1.0F);
  EXPECT_EQ(error({"--target-acc", "0.9", "--val-size", "0"}),
            "--target-acc: expected validation samples to reach it on, found --val-size 0");
  EXPECT_EQ(error({"--task", "regression", "--target-r2", "0.9", "--val-size", "0"}),
            "--target-r2: expected validation samples to reach it on, found --val-size 0");
}

class ARecipe : public ::testing::Test {
 protected:
  Options parse(std::string_view text, Arguments more = {}) const {
    more.insert(more.begin(), {"--config", write_bytes(path_, make_bytes(text)).string()});
    return parse_options(more);
  }
  std::string error(std::string_view text, const Arguments& more = {}) const {
    return usage_error_of([&] { parse(text, more); });
  }
  std::string place(const char* entry) const { return path_.string() + ":" + entry; }
  TempFolder folder_;
  std::filesystem::path path_ = folder_ / "run.toml";
};

TEST_F(ARecipe, IsRefusedForItsOwnMistakes) {
  EXPECT_EQ(error("lr = 0.1\ngamma = 0.5\n"),
            place("2: gamma: expected --schedule step with it, found constant"));
  EXPECT_EQ(error("schedule = 'cosine'\ngamma = 0.5\n"),
            place("2: gamma: expected --schedule step with it, found cosine"));
  EXPECT_EQ(error("optimizer = 'nesterov'\n"),
            place("1: optimizer nesterov: expected --momentum with it, found none"));
}

TEST_F(ARecipe, ExplainsWhyAnOptionOfTheCommandLineHasNoEffect) {
  EXPECT_EQ(error("schedule = 'cosine'\n", {"--gamma", "0.5"}),
            "--gamma: expected --schedule step with it, found cosine (" + place("1: schedule)"));
}

TEST_F(ARecipe, MayBeOverruled) {
  const Options adam = parse("momentum = 0.9\n", {"--optimizer", "adam"});
  EXPECT_EQ(adam.run.optimizer.momentum, 0.0F);
  ASSERT_EQ(adam.notes.size(), 1U);
  EXPECT_EQ(adam.notes[0],
            place("1: momentum has no effect: expected an optimizer sgd or nesterov, "
                  "found adam, which has --beta1"));
  const Options none = parse("hidden = 64\nbatch-norm = 'on'\ndropout = 0.2\nactivation = 'tanh'\n",
                             {"--hidden", "none"});
  EXPECT_FALSE(none.run.batch_norm);
  EXPECT_EQ(none.run.dropout, 0.0F);
  EXPECT_EQ(none.run.activation, Activation::kRelu);
  EXPECT_EQ(none.notes.size(), 3U);
  const Options quiet = parse("on-bad = 'skip'\nquarantine = 'q'\n", {"--on-bad", "fail"});
  EXPECT_TRUE(quiet.quarantine.empty());
  EXPECT_EQ(quiet.notes.size(), 1U);
  EXPECT_TRUE(parse("schedule = 'step'\ngamma = 0.5\n").notes.empty());
  const Options numbers =
      parse("label-smoothing = 0.1\ntarget-acc = 0.9\n", {"--task", "regression"});
  EXPECT_EQ(numbers.run.label_smoothing, 0.0F);
  EXPECT_EQ(numbers.run.stopping.target_accuracy, 0.0F);
  EXPECT_EQ(numbers.notes.size(), 2U);
  const Options classes =
      parse("task = 'regression'\nloss = 'mae'\ntarget-r2 = 0.9\n", {"--task", "classification"});
  EXPECT_EQ(classes.run.loss, Loss::kSquaredError);
  EXPECT_EQ(classes.run.stopping.target_r2, 0.0F);
  EXPECT_EQ(classes.notes.size(), 2U);
  const Options labels = parse(
      "task = 'regression'\nloss = 'mae'\ntarget-r2 = 0.9\nlabel-smoothing = 0.1\n"
      "class-weights = 'balanced'\ntarget-acc = 0.9\n",
      {"--task", "multilabel"});
  EXPECT_EQ(labels.run.loss, Loss::kBinaryCrossEntropy);
  EXPECT_EQ(labels.run.stopping.target_r2, 0.0F);
  EXPECT_EQ(labels.run.label_smoothing, 0.0F);
  EXPECT_FALSE(labels.run.class_weights.balanced);
  EXPECT_EQ(labels.run.stopping.target_accuracy, 0.9F);
  EXPECT_EQ(labels.notes.size(), 4U);
}

TEST_F(ARecipe, SaysWhichRatesWereChosenForAnotherOptimizer) {
  const std::string_view recipe = "optimizer = 'adamw'\nlr = 0.01\nweight-decay = 0.1\n";
  const Options other = parse(recipe, {"--optimizer", "sgd", "--weight-decay", "0"});
  ASSERT_EQ(other.notes.size(), 1U);
  EXPECT_EQ(
      other.notes[0],
      place("2: lr was chosen for adamw, and --optimizer is sgd: --lr may have to be another"));
  EXPECT_TRUE(parse(recipe, {"--optimizer", "adamw"}).notes.empty());
  EXPECT_TRUE(
      parse(recipe, {"--optimizer", "sgd", "--lr", "1", "--weight-decay", "0"}).notes.empty());
}

}  // namespace
}  // namespace millrace
