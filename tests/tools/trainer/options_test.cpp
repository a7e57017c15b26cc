#include "tools/trainer/options.h"

#include <gtest/gtest.h>

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

TEST(ParseOptions, DefaultsAreTheTutorials) {
  const Options options = parse_options({});
  EXPECT_EQ(options.action, Options::Action::kTrain);
  EXPECT_EQ(options.data, "data");
  EXPECT_EQ(options.run.hidden, std::vector<std::uint32_t>({32}));
  EXPECT_EQ(options.run.batch, 128U);
  EXPECT_EQ(options.run.epochs, 10U);
  EXPECT_EQ(options.run.optimizer.learning_rate, 0.5F);
  EXPECT_EQ(options.task, Task::kClassification);
  EXPECT_EQ(options.run.optimizer.momentum, 0.0F);
  EXPECT_EQ(options.run.optimizer.weight_decay, 0.0F);
  EXPECT_EQ(options.run.seed, 0U);
  EXPECT_TRUE(options.run.shuffle);
  EXPECT_FALSE(options.run.resume);
  EXPECT_TRUE(options.run.checkpoint_dir.empty());
  EXPECT_EQ(options.run.device.kind, Device::Kind::kAuto);
  EXPECT_EQ(options.run.residency, Residency::kAuto);
  EXPECT_EQ(options.validation_size, std::nullopt);
  EXPECT_FALSE(options.quiet);
}

TEST(ParseOptions, ReadsEveryOption) {
  const Options options = parse_options({"--data",
                                         "d",
                                         "--epochs",
                                         "7",
                                         "--hidden",
                                         "512,256",
                                         "--batch",
                                         "64",
                                         "--val-size",
                                         "9",
                                         "--lr",
                                         "0.25",
                                         "--momentum",
                                         "0.9",
                                         "--weight-decay",
                                         "1e-4",
                                         "--seed",
                                         "18446744073709551615",
                                         "--device",
                                         "cuda:2",
                                         "--precision",
                                         "bf16",
                                         "--workers",
                                         "4",
                                         "--residency",
                                         "host",
                                         "--chunk-batches",
                                         "5",
                                         "--slots",
                                         "6",
                                         "--shuffle",
                                         "off",
                                         "--checkpoint-dir",
                                         "c",
                                         "--checkpoint-every",
                                         "100",
                                         "--keep",
                                         "2",
                                         "--resume",
                                         "c/step-1.safetensors",
                                         "--metrics",
                                         "m",
                                         "--quiet"});
  const RunSpec& run = options.run;
  EXPECT_EQ(options.data, "d");
  EXPECT_EQ(run.epochs, 7U);
  EXPECT_EQ(run.hidden, std::vector<std::uint32_t>({512, 256}));
  EXPECT_EQ(run.batch, 64U);
  EXPECT_EQ(options.validation_size, 9U);
  EXPECT_EQ(run.optimizer.learning_rate, 0.25F);
  EXPECT_EQ(run.optimizer.momentum, 0.9F);
  EXPECT_EQ(run.optimizer.weight_decay, 1e-4F);
  EXPECT_EQ(run.seed, 18446744073709551615U);
  EXPECT_EQ(run.device.kind, Device::Kind::kCuda);
  EXPECT_EQ(run.device.index, 2);
  EXPECT_EQ(run.precision, Precision::kBFloat16);
  EXPECT_EQ(run.workers, 4U);
  EXPECT_EQ(run.residency, Residency::kHost);
  EXPECT_EQ(run.chunk_batches, 5U);
  EXPECT_EQ(run.slots, 6U);
  EXPECT_FALSE(run.shuffle);
  EXPECT_EQ(run.checkpoint_dir, "c");
  EXPECT_EQ(run.checkpoint_every, 100U);
  EXPECT_EQ(run.keep, 2U);
  EXPECT_TRUE(run.resume);
  EXPECT_EQ(run.resume_from, "c/step-1.safetensors");
  EXPECT_EQ(options.metrics, "m");
  EXPECT_TRUE(options.quiet);
  EXPECT_EQ(parse_options({"--init", "i"}).run.init, "i");
}

TEST(ParseOptions, TakesValuesBehindAnEqualsSign) {
  EXPECT_EQ(parse_options({"--epochs=3"}).run.epochs, 3U);
  EXPECT_EQ(parse_options({"--data=a=b"}).data, "a=b");
  EXPECT_EQ(parse_options({"--data=[x]"}).data, "[x]");
  const Options options = parse_options({"--hidden=", "--epochs", "3"});
  EXPECT_TRUE(options.run.hidden.empty());
  EXPECT_EQ(options.run.epochs, 3U);
  EXPECT_EQ(parse_options({"--resume=f"}).run.resume_from, "f");
}

TEST(ParseOptions, HasAModelWithoutHiddenLayers) {
  EXPECT_TRUE(parse_options({"--hidden", "none"}).run.hidden.empty());
  EXPECT_TRUE(parse_options({"--hidden", ""}).run.hidden.empty());
}

TEST(ParseOptions, TheLastOfTwoCounts) {
  EXPECT_EQ(parse_options({"--epochs", "3", "--epochs", "4"}).run.epochs, 4U);
  // In whatever order, the number of threads stays.
  const Device device = parse_options({"--threads", "2", "--device", "cpu"}).run.device;
  EXPECT_EQ(device.kind, Device::Kind::kCpu);
  EXPECT_EQ(device.threads, 2U);
}

TEST(ParseOptions, ResumeTakesAFileOrNone) {
  const Options none = parse_options({"--resume", "--checkpoint-dir", "c"});
  EXPECT_TRUE(none.run.resume);
  EXPECT_TRUE(none.run.resume_from.empty());
  const Options last = parse_options({"--checkpoint-dir", "c", "--resume"});
  EXPECT_TRUE(last.run.resume);
  EXPECT_EQ(parse_options({"--resume", "f", "--epochs", "3"}).run.resume_from, "f");
  EXPECT_EQ(error({"--resume"}),
            "--resume: expected a file, or --checkpoint-dir with it, found neither");
  EXPECT_NE(error({"--resume", "f", "--init", "g"}), "");
}

TEST(ParseOptions, ForceIsOfANewRunWithCheckpoints) {
  EXPECT_FALSE(parse_options({}).force);
  EXPECT_TRUE(parse_options({"--checkpoint-dir", "c", "--force"}).force);
  EXPECT_TRUE(parse_options({"--checkpoint-dir", "c", "--resume", "d/f", "--force"}).force);
  EXPECT_EQ(error({"--force"}), "--force: expected --checkpoint-dir with it, found none");
  EXPECT_EQ(
      error({"--checkpoint-dir", "c", "--resume", "--force"}),
      "--force: expected --resume FILE or none with it, found --resume, which replaces nothing");
}

struct Refusal {
  Arguments arguments;
  const char* message;
};
void PrintTo(const Refusal& r, std::ostream* out) { *out << r.message; }

class ParseOptionsRefuses : public ::testing::TestWithParam<Refusal> {};

TEST_P(ParseOptionsRefuses, InOneLine) {
  EXPECT_EQ(error(GetParam().arguments), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Values, ParseOptionsRefuses,
    ::testing::Values(
        Refusal{{"--batch", "0"}, "--batch: expected a whole number from 1 to 4294967295, found 0"},
        Refusal{{"--batch=-3"}, "--batch: expected a whole number from 1 to 4294967295, found -3"},
        Refusal{{"--epochs", "-1"}, "--epochs: expected a whole number below 2^64, found -1"},
        Refusal{{"--epochs", "1.5"}, "--epochs: expected a whole number below 2^64, found 1.5"},
        Refusal{{"--lr", "nan"}, "--lr: expected a finite number of at least 0, found 'nan'"},
        Refusal{{"--lr", "inf"}, "--lr: expected a finite number of at least 0, found 'inf'"},
        Refusal{{"--lr", "-0.1"}, "--lr: expected a finite number of at least 0, found -0.1"},
        Refusal{{"--lr", "1e999"}, "--lr: expected a finite number of at least 0, found 1e999"},
        Refusal{{"--momentum", "1"},
                "--momentum: expected a number of at least 0 and below 1, found 1"},
        Refusal{{"--optimizer", "rmsprop"},
                "--optimizer: expected sgd, nesterov, adam or adamw, found 'rmsprop'"},
        Refusal{{"--optimizer", "adam", "--momentum", "0.9"},
                "--momentum: expected an optimizer sgd or nesterov, found adam, which has --beta1"},
        Refusal{{"--optimizer", "nesterov"},
                "--optimizer nesterov: expected --momentum with it, found none"},
        Refusal{{"--optimizer", "adam", "--epsilon", "0"},
                "--epsilon: expected a number above 0, found 0"},
        Refusal{{"--dropout", "1"},
                "--dropout: expected a number of at least 0 and below 1, found 1"},
        Refusal{{"--rotate", "5", "--residency", "resident"},
                "--residency resident: expected host or auto with --rotate, --shift, --scale, "
                "--shear or --elastic, whose samples are made on the way"},
        Refusal{{"--hidden", "none", "--batch-norm", "on"},
                "--batch-norm: expected a hidden layer to do it to, found --hidden none"},
        Refusal{{"--weight-decay", "-1"},
                "--weight-decay: expected a finite number of at least 0, found -1"},
        Refusal{{"--threads", "0"},
                "--threads: expected auto or a whole number from 1 to 4096, found 0"},
        Refusal{{"--slots", "0"}, "--slots: expected a whole number from 1 to 65536, found 0"},
        Refusal{{"--keep", "0"}, "--keep: expected a whole number from 1 to 4294967295, found 0"},
        Refusal{{"--device", "tpu"}, "--device: expected auto, cpu, cuda or cuda:N, found 'tpu'"},
        Refusal{{"--device", "cuda:x"},
                "--device: expected auto, cpu, cuda or cuda:N, found 'cuda:x'"},
        Refusal{{"--precision", "fp16"}, "--precision: expected fp32, tf32 or bf16, found 'fp16'"},
        Refusal{{"--residency", "gpu"},
                "--residency: expected auto, resident, host or stream, found 'gpu'"},
        Refusal{{"--shuffle", "yes"}, "--shuffle: expected on or off, found 'yes'"},
        Refusal{{"--data", ""}, "--data: expected a path, found ''"},
        Refusal{{"--checkpoint-every", "5"},
                "--checkpoint-every: expected --checkpoint-dir with it, found none"}));

INSTANTIATE_TEST_SUITE_P(
    Names, ParseOptionsRefuses,
    ::testing::Values(Refusal{{"--epoch", "3"}, "unknown option --epoch; did you mean --epochs?"},
                      Refusal{{"--epoch=3"}, "unknown option --epoch; did you mean --epochs?"},
                      Refusal{{"--batch-size", "3"},
                              "unknown option --batch-size; did you mean --batch?"},
                      Refusal{{"--zzzzzzzz"}, "unknown option --zzzzzzzz"},
                      Refusal{{"-x"}, "unknown option -x"},
                      Refusal{{"data"}, "unexpected argument 'data'"},
                      Refusal{{"--epochs"}, "--epochs: expected a value, found none"}));

TEST(ParseOptions, HelpComesBeforeMistakes) {
  const Options options = parse_options({"--batch", "0", "--bogus", "--help"});
  EXPECT_EQ(options.action, Options::Action::kHelp);
  EXPECT_EQ(parse_options({"-h"}).help, options.help);
  EXPECT_EQ(parse_options({"--version"}).action, Options::Action::kVersion);
}

TEST(ParseOptions, BadSamples) {
  const Options none = parse_options({});
  EXPECT_EQ(none.run.on_bad, OnBad::kFail);
  EXPECT_EQ(none.run.bad_budget, BadBudget{});
  const Options share = parse_options({"--on-bad", "skip", "--bad-budget", "0.25"});
  EXPECT_EQ(share.run.on_bad, OnBad::kSkip);
  EXPECT_EQ(share.run.bad_budget.of(1000), 250U);
  const Options count =
      parse_options({"--on-bad", "substitute", "--bad-budget", "25", "--quarantine", "q.jsonl"});
  EXPECT_EQ(count.run.on_bad, OnBad::kSubstitute);
  EXPECT_EQ(count.run.bad_budget.of(1000), 25U);
  EXPECT_EQ(count.quarantine, "q.jsonl");
  EXPECT_EQ(parse_options({"--on-bad", "skip", "--bad-budget", "0"}).run.bad_budget.of(9), 0U);
}

TEST(ParseOptions, Schedules) {
  const auto of = [](const Arguments& arguments) { return parse_options(arguments).run.schedule; };
  EXPECT_EQ(of({}), ScheduleSpec{});
  EXPECT_EQ(of({"--schedule", "one-cycle"}).kind, ScheduleSpec::Kind::kOneCycle);
  EXPECT_EQ(of({"--schedule", "cosine", "--warmup", "0.5"}),
            (ScheduleSpec{.kind = ScheduleSpec::Kind::kCosine, .warmup_epochs = 0.5}));
  EXPECT_EQ(of({"--schedule", "step", "--gamma", "0.1"}), of({"--schedule", "step"}));
  EXPECT_EQ(of({"--schedule", "step", "--step-epochs", "3", "--gamma", "0.5"}),
            (ScheduleSpec{.kind = ScheduleSpec::Kind::kStep, .step_epochs = 3, .gamma = 0.5}));
  EXPECT_EQ(usage_error_of([&] {
              of({"--schedule", "linear"});
            }),
            "--schedule: expected constant, step, cosine or one-cycle, found 'linear'");
}

TEST(ParseOptions, EarlyEnds) {
  const RunSpec run = parse_options({"--target-acc", "0.98", "--patience", "5"}).run;
  EXPECT_EQ(run.stopping, (StoppingSpec{0.98F, 5}));
  EXPECT_EQ(parse_options({}).run.stopping, StoppingSpec{});
}

TEST(ParseOptions, SaysHowImagesAreRead) {
  EXPECT_EQ(parse_options({"--resize", "32x24", "--rgb"}).images,
            (ImageOptions{.resize = ImageSize{32, 24}, .channels = ImageChannels::kRgb}));
  EXPECT_EQ(parse_options({}).images, ImageOptions{});
  EXPECT_EQ(error({"--gray", "--rgb"}), "--gray and --rgb: expected one of them, found both");
}

TEST(ParseOptions, HelpFits80ColumnsAndNamesEveryOption) {
  const std::string help = parse_options({"--help"}).help;
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = help.find('\n', begin)) != std::string::npos; begin = end + 1) {
    EXPECT_LE(end - begin, 80U) << help.substr(begin, end - begin);
    EXPECT_FALSE(end > begin && help[end - 1] == ' ') << help.substr(begin, end - begin);
  }
  for (const char* name : {"--resize",
                           "--gray",
                           "--rgb",
                           "--data",
                           "--epochs",
                           "--hidden",
                           "--batch",
                           "--val-size",
                           "--lr",
                           "--momentum",
                           "--weight-decay",
                           "--seed",
                           "--device",
                           "--precision",
                           "--threads",
                           "--workers",
                           "--residency",
                           "--chunk-batches",
                           "--slots",
                           "--shuffle",
                           "--init",
                           "--checkpoint-dir",
                           "--checkpoint-every",
                           "--keep",
                           "--resume",
                           "--metrics",
                           "--config",
                           "--quiet",
                           "--schedule",
                           "--warmup",
                           "--step-epochs",
                           "--gamma",
                           "--version",
                           "--help"}) {
    EXPECT_NE(help.find(name), std::string::npos) << name;
  }
}

class ConfigOption : public ::testing::Test {
 protected:
  Options parse(std::string_view text, Arguments more = {}) const {
    more.insert(more.begin(), {"--config", path(text).string()});
    return parse_options(more);
  }
  std::string error(std::string_view text) const {
    const auto file = path(text);
    const std::string message = usage_error_of([&] { parse_options({"--config", file.string()}); });
    EXPECT_TRUE(message.starts_with(file.string())) << message;
    return message.substr(std::min(message.size(), file.string().size()));
  }
  std::filesystem::path path(std::string_view text) const {
    return write_bytes(folder_ / "run.toml", make_bytes(text));
  }
  TempFolder folder_;
};

TEST_F(ConfigOption, FillsWhatTheCommandLineLeavesOpen) {
  const Options options = parse(
      "epochs = 3\nhidden = [64, 32]\nlr = 0.25\nshuffle = false\nquiet = true\n"
      "precision = 'bf16'\nval-size = 1_000\n",
      {"--epochs", "5"});
  EXPECT_EQ(options.run.epochs, 5U);
  EXPECT_EQ(options.run.hidden, std::vector<std::uint32_t>({64, 32}));
  EXPECT_EQ(options.run.optimizer.learning_rate, 0.25F);
  EXPECT_FALSE(options.run.shuffle);
  EXPECT_TRUE(options.quiet);
  EXPECT_EQ(options.run.precision, Precision::kBFloat16);
  EXPECT_EQ(options.validation_size, 1000U);
}

TEST_F(ConfigOption, TurnsSwitchesOff) {
  EXPECT_FALSE(parse("quiet = false\n").quiet);
  EXPECT_TRUE(parse("hidden = []\n").run.hidden.empty());
}

TEST_F(ConfigOption, ResumesFromAFileOrTheNewest) {
  EXPECT_TRUE(parse("checkpoint-dir = 'c'\nresume = true\n").run.resume);
  EXPECT_FALSE(parse("checkpoint-dir = 'c'\nresume = false\n").run.resume);
  EXPECT_EQ(parse("resume = 'f'\n").run.resume_from, "f");
}

TEST_F(ConfigOption, NamesTheLine) {
  EXPECT_EQ(error("lr = 0.1\nepoch = 3\n"), ":2: unknown option epoch; did you mean epochs?");
  EXPECT_EQ(error("\nbatch = 0\n"),
            ":2: batch: expected a whole number from 1 to 4294967295, found 0");
  EXPECT_EQ(error("quiet = 3\n"), ":1: quiet: expected on or off, found 3");
  EXPECT_EQ(error("config = 'x'\n"), ":1: unknown option config");
  // What may be lost is said by whoever starts the run.
  EXPECT_EQ(error("force = true\n"), ":1: unknown option force");
}

TEST(DefaultValidationSize, IsASixthOfASmallSet) {
  EXPECT_EQ(default_validation_size(60'000), 10'000U);
  EXPECT_EQ(default_validation_size(1'000'000), 10'000U);
  EXPECT_EQ(default_validation_size(6'000), 1'000U);
  EXPECT_EQ(default_validation_size(5), 0U);
  EXPECT_EQ(default_validation_size(1), 0U);
}

TEST(ParseOptions, TakesOptimizerAndRegularisation) {
  const RunSpec run =
      parse_options({"--optimizer",       "adamw", "--beta1",      "0.8", "--beta2",   "0.99",
                     "--epsilon",         "1e-6",  "--batch-norm", "on",  "--dropout", "0.2",
                     "--label-smoothing", "0.02",  "--rotate",     "10",  "--shift",   "2.5",
                     "--scale",           "0.1",   "--shear",      "5",   "--elastic", "34",
                     "--elastic-sigma",   "5"})
          .run;
  EXPECT_EQ(run.optimizer.kind, OptimizerSpec::Kind::kAdamW);
  EXPECT_EQ(run.optimizer.beta1, 0.8F);
  EXPECT_EQ(run.optimizer.beta2, 0.99F);
  EXPECT_EQ(run.optimizer.epsilon, 1e-6F);
  EXPECT_TRUE(run.batch_norm);
  EXPECT_EQ(run.dropout, 0.2F);
  EXPECT_EQ(run.label_smoothing, 0.02F);
  EXPECT_EQ(run.augment, (AugmentSpec{10.0F, 2.5F, 0.1F, 5.0F, 34.0F, 5.0F}));
}

TEST(ParseOptions, TakesWeightsOfClassesAndStandardisation) {
  EXPECT_EQ(parse_options({}).run.class_weights, ClassWeights{});
  EXPECT_FALSE(parse_options({}).run.standardize);
  const RunSpec run = parse_options({"--class-weights", "1,0.5,2e1", "--standardize", "on"}).run;
  EXPECT_EQ(run.class_weights, (ClassWeights{false, {1.0F, 0.5F, 20.0F}}));
  EXPECT_TRUE(run.standardize);
  EXPECT_EQ(parse_options({"--class-weights", "balanced"}).run.class_weights,
            (ClassWeights{true, {}}));
  for (const std::string bad : {"", "1,", ",1", "1,-2", "1,x", "equal", "nan"}) {
    EXPECT_EQ(error({"--class-weights=" + bad}),
              "--class-weights: expected balanced, or numbers of at least 0 with commas, found '" +
                  bad + "'");
  }
}

TEST(ParseOptions, TakesActivationAndInitializer) {
  const RunSpec run = parse_options({"--activation", "leaky-relu", "--initializer", "he"}).run;
  EXPECT_EQ(run.activation, Activation::kLeakyRelu);
  EXPECT_EQ(run.initializer, Initializer::kHe);
  EXPECT_EQ(error({"--activation", "swish"}),
            "--activation: expected relu, gelu, tanh, sigmoid or leaky-relu, found 'swish'");
  EXPECT_EQ(error({"--initializer", "zeros"}),
            "--initializer: expected pytorch, he or xavier, found 'zeros'");
  EXPECT_EQ(error({"--activation", "tanh", "--hidden", "none"}),
            "--activation: expected a hidden layer to have it, found --hidden none");
  EXPECT_EQ(
      error({"--initializer", "he", "--init", "f"}),
      "--initializer: expected no --init with it, whose file has the first weights, found 'f'");
}

TEST(ParseOptions, RepeatsRunsThatHaveFilesOfTheirOwn) {
  EXPECT_EQ(parse_options({}).repeat, 1U);
  EXPECT_EQ(parse_options({"--repeat", "5", "--resume", "--checkpoint-dir", "c"}).repeat, 5U);
  EXPECT_EQ(error({"--repeat", "0"}),
            "--repeat: expected a whole number from 1 to 1000000, found 0");
  EXPECT_EQ(error({"--repeat", "3", "--report", "r.html"}),
            "--repeat 3: expected no --report with it, which is of a single run");
  EXPECT_EQ(error({"--repeat", "3", "--resume", "f"}),
            "--repeat 3: expected --resume without a file, each run having its own, found 'f'");
  EXPECT_EQ(error({"--repeat", "3", "--seed", "18446744073709551614"}),
            "--repeat 3: expected seeds up to 18446744073709551615, found --seed "
            "18446744073709551614");
}

TEST(ParseOptions, RunsOncePerFold) {
  const Options folds = parse_options({"--folds", "5", "--checkpoint-dir", "c", "--resume"});
  EXPECT_EQ(folds.run.fold, (Fold{0, 5}));
  EXPECT_EQ(folds.repeat, 5U);
  EXPECT_EQ(parse_options({"--folds", "1"}).run.fold, Fold());
  EXPECT_EQ(parse_options({"--folds", "1"}).repeat, 1U);
  EXPECT_EQ(parse_options({"--folds", "5", "--seed", "18446744073709551615"}).repeat, 5U);
  EXPECT_EQ(error({"--folds", "5", "--repeat", "2"}),
            "--folds and --repeat: expected one of them, found both");
  EXPECT_EQ(error({"--folds", "5", "--val-size", "10"}),
            "--folds and --val-size: expected one of them, found both");
  EXPECT_EQ(error({"--folds", "3", "--trace", "t.json"}),
            "--folds 3: expected no --trace with it, which is of a single run");
  EXPECT_EQ(parse_options({"--folds", "5", "--target-acc", "0.9"}).repeat, 5U);
}

TEST(ParseOptions, TakesClippingAccumulationAndAverage) {
  const RunSpec run =
      parse_options({"--clip-norm", "1.5", "--ema", "0.999", "--accumulate", "4"}).run;
  EXPECT_EQ(run.optimizer.clip_norm, 1.5F);
  EXPECT_EQ(run.optimizer.ema, 0.999F);
  EXPECT_EQ(run.accumulate, 4U);
  EXPECT_EQ(error({"--ema", "1"}), "--ema: expected a number of at least 0 and below 1, found 1");
  EXPECT_EQ(error({"--batch", "65536", "--accumulate", "65536"}),
            "--accumulate: expected at most 4294967295 samples of a step, found 4294967296");
}

TEST(ResumeCommand, KeepsTheArgumentsAndResumesOnce) {
  EXPECT_EQ(resume_command({"bin/trainer", "--data", "my data", "--checkpoint-dir", "c"}),
            "bin/trainer --data 'my data' --checkpoint-dir c --resume");
  EXPECT_EQ(resume_command({"t", "--resume", "--checkpoint-dir", "c"}),
            "t --checkpoint-dir c --resume");
  EXPECT_EQ(resume_command({"t", "--checkpoint-dir", "c", "--force"}),
            "t --checkpoint-dir c --resume");
  EXPECT_EQ(resume_command({"t", "--resume", "c/step-1.safetensors", "--epochs", "3"}),
            "t --epochs 3 --resume");
  EXPECT_EQ(resume_command({"t", "--resume=c/x", "--epochs", "3"}), "t --epochs 3 --resume");
}

TEST(ParseOptions, LearnsNumbersAtARateOfTheirOwn) {
  const Options usual = parse_options({"--task", "regression"});
  EXPECT_EQ(usual.task, Task::kRegression);
  EXPECT_EQ(usual.run.optimizer.learning_rate, 0.1F);
  EXPECT_EQ(usual.run.loss, Loss::kSquaredError);
  EXPECT_TRUE(usual.run.standardize_targets);
  const Options given = parse_options({"--task", "regression", "--lr", "0.5", "--loss", "huber",
                                       "--standardize-targets", "off", "--target-r2", "0.9"});
  EXPECT_EQ(given.run.optimizer.learning_rate, 0.5F);
  EXPECT_EQ(given.run.loss, Loss::kHuber);
  EXPECT_FALSE(given.run.standardize_targets);
  EXPECT_EQ(given.run.stopping.target_r2, 0.9F);
  EXPECT_EQ(usage_error_of([] {
              parse_options({"--task", "regression", "--loss", "cross-entropy"});
            }),
            "--loss: expected mse, mae or huber, found 'cross-entropy'");
}

TEST(ParseOptions, LearnsLabelsByBinaryCrossEntropy) {
  const Options usual = parse_options({"--task", "multilabel", "--target-acc", "0.9"});
  EXPECT_EQ(usual.task, Task::kMultilabel);
  EXPECT_EQ(usual.run.loss, Loss::kBinaryCrossEntropy);
  EXPECT_EQ(usual.run.optimizer.learning_rate, 0.5F);
  EXPECT_EQ(usual.run.stopping.target_accuracy, 0.9F);
  for (const std::vector<std::string>& others : {std::vector<std::string>{"--loss", "mse"},
                                                 {"--target-r2", "0.5"},
                                                 {"--standardize-targets", "off"}}) {
    EXPECT_EQ(usage_error_of([&] {
                parse_options({"--task", "multilabel", others[0], others[1]});
              }),
              others[0] + ": expected --task regression with it, found multilabel");
  }
  for (const std::vector<std::string>& others :
       {std::vector<std::string>{"--label-smoothing", "0.1"}, {"--class-weights", "balanced"}}) {
    EXPECT_EQ(usage_error_of([&] {
                parse_options({"--task", "multilabel", others[0], others[1]});
              }),
              others[0] + ": expected --task classification with it, found multilabel");
  }
  EXPECT_EQ(usage_error_of([] {
              parse_options({"--task", "regression", "--loss", "bce"});
            }),
            "--loss: expected mse, mae or huber, found 'bce'");
  EXPECT_EQ(usage_error_of([] {
              parse_options({"--task", "regression", "--target-acc", "0.9"});
            }),
            "--target-acc: expected --task classification or multilabel with it, found regression");
}

}  // namespace
}  // namespace millrace
