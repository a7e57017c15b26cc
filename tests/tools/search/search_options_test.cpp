#include "tools/search/search_options.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/tools/usage_error.h"

namespace millrace {
namespace {

using Words = std::vector<std::string>;

std::string error_of(const Words& arguments) {
  return test::usage_error_of([&] { parse_search(arguments); });
}

TEST(SearchOptions, ReadsWhatToTryAmongTheTrainersOptions) {
  const SearchOptions search =
      parse_search({"--epochs=3", "lr=0.1/0.3", "--quiet", "--batch", "64", "hidden=32/64,32",
                    "--parallel=2", "--journal", "j.jsonl", "--refit", "off"});
  EXPECT_EQ(search.help, "");
  EXPECT_EQ(search.words, (Words{"--epochs", "3", "--quiet", "--batch", "64"}));
  EXPECT_EQ(search.parallel, 2U);
  EXPECT_EQ(search.journal, "j.jsonl");
  EXPECT_FALSE(search.refit);
  ASSERT_EQ(search.trials.size(), 4U);
  ASSERT_EQ(search.options.size(), 4U);
  EXPECT_EQ(search.trials[1].number, 2U);
  EXPECT_EQ(search.trials[1].values, (Combination{"0.1", "64,32"}));
  const RunSpec& run = search.options[1].run;
  EXPECT_EQ(run.optimizer.learning_rate, 0.1F);
  EXPECT_EQ(run.hidden, (std::vector<std::uint32_t>{64, 32}));
  EXPECT_EQ(run.epochs, 3U);
  EXPECT_EQ(run.batch, 64U);
  EXPECT_EQ(search.command(search.trials[1]),
            (Words{"trainer", "--epochs", "3", "--quiet", "--batch", "64", "--lr", "0.1",
                   "--hidden", "64,32"}));
  EXPECT_EQ(describe(search.axes, search.trials[1].values), "lr=0.1 hidden=64,32");
}

TEST(SearchOptions, DrawsTwentyOfARangeAndAnyNumber) {
  EXPECT_EQ(parse_search({"lr=0.01..1:log"}).trials.size(), 20U);
  const auto five = parse_search({"lr=0.01..1:log", "--trials", "5", "--search-seed", "3"});
  EXPECT_EQ(five.trials.size(), 5U);
  EXPECT_EQ(five.words, Words{});
  EXPECT_NE(five.trials[0].values, parse_search({"lr=0.01..1:log"}).trials[0].values);
  EXPECT_EQ(parse_search({"lr=1/2/3/4", "--trials", "3"}).trials.size(), 3U);
  EXPECT_EQ(five.notes, Words{});
  EXPECT_EQ(parse_search({"lr=1/2", "--trials", "3"}).notes,
            Words{"there are 2 combinations, fewer than --trials 3"});
}

TEST(SearchOptions, DrawsWholeNumbersForOptionsThatTakeNoOthers) {
  const auto range_of = [](const std::string& text) {
    return *parse_search({text, "--trials", "1"}).axes[0].range;
  };
  EXPECT_TRUE(range_of("batch=16..512").whole);
  EXPECT_TRUE(range_of("batch=1..1e3").whole);
  EXPECT_TRUE(range_of("hidden=16..512:log").whole);
  EXPECT_FALSE(range_of("lr=1..2").whole);
  EXPECT_FALSE(range_of("rotate=0..20").whole);
  EXPECT_EQ(error_of({"batch=1.5..8"}),
            "--batch: expected whole numbers up to 9007199254740992, found 1.5 to 8");
}

TEST(SearchOptions, LeavesOutWhatCannotBeTogetherAndSaysSo) {
  const SearchOptions search = parse_search({"optimizer=sgd/adam", "momentum=0/0.9"});
  ASSERT_EQ(search.trials.size(), 3U);
  EXPECT_EQ(search.trials[2].number, 3U);
  EXPECT_EQ(search.trials[2].values, (Combination{"adam", "0"}));
  EXPECT_EQ(search.notes,
            Words{"1 of 4 combinations cannot be, and are left out: optimizer=adam momentum=0.9 "
                  "(--momentum: expected an optimizer sgd or nesterov, found adam, which has "
                  "--beta1)"});
  EXPECT_EQ(error_of({"optimizer=adam/adamw", "--momentum", "0.9"}),
            "--momentum: expected an optimizer sgd or nesterov, found adam, which has --beta1");
}

TEST(SearchOptions, RefusesValuesThatAreNone) {
  EXPECT_EQ(error_of({"lr=0.1/x"}), "--lr: expected a finite number of at least 0, found 'x'");
  EXPECT_EQ(error_of({"dropout=0..1"}),
            "--dropout: expected a number of at least 0 and below 1, found 1");
  EXPECT_EQ(error_of({"activation=relu/swish"}),
            "--activation: expected relu, gelu, tanh, sigmoid or leaky-relu, found 'swish'");
  EXPECT_EQ(error_of({"lr=0.1/0.3", "--val-size", "0"}),
            "--val-size: expected validation samples to judge trials by, found 0");
}

TEST(SearchOptions, TakesAConfigFileWhoseOptionsMayBeVaried) {
  const test::TempFolder dir;
  const auto path = dir.path() / "run.toml";
  test::write_bytes(path, test::make_bytes("lr = 0.7\nepochs = 4\n"));
  const SearchOptions search = parse_search({"lr=0.1/0.3", "--config", path.string()});
  EXPECT_EQ(search.options[1].run.optimizer.learning_rate, 0.3F);
  EXPECT_EQ(search.options[1].run.epochs, 4U);
  EXPECT_EQ(search.options[1].given.at("--epochs"), "4");
}

TEST(SearchOptions, GivesUpWhatIsBehindIfAsked) {
  EXPECT_EQ(parse_search({"lr=0.1/0.3"}).halving, 0U);
  EXPECT_EQ(parse_search({"lr=0.1/0.3", "--halving", "3"}).halving, 3U);
  EXPECT_EQ(error_of({"lr=0.1/0.3", "--halving", "1"}),
            "--halving: expected a whole number from 2 to 10000, found 1");
  EXPECT_EQ(error_of({"epochs=3/9", "--halving", "3"}),
            "--halving: expected one number of --epochs, found epochs=…");
}

TEST(SearchOptions, TrainsTheBestWithoutFolds) {
  const SearchOptions search = parse_search({"lr=0.1/0.3", "--folds", "5", "--epochs", "2"});
  EXPECT_EQ(search.options[1].run.fold.count, 5U);
  EXPECT_EQ(search.options[1].repeat, 5U);
  EXPECT_EQ(search.command(search.trials[1]), (Words{"trainer", "--epochs", "2", "--lr", "0.3"}));
  const test::TempFolder dir;
  const auto path = dir.path() / "run.toml";
  test::write_bytes(path, test::make_bytes("folds = 5\n"));
  const SearchOptions config = parse_search({"lr=0.1/0.3", "--config", path.string()});
  EXPECT_EQ(config.options[1].run.fold.count, 5U);
  EXPECT_EQ(config.command(config.trials[0]),
            (Words{"trainer", "--config", path.string(), "--lr", "0.1", "--folds", "1"}));
  const SearchOptions both =
      parse_search({"lr=0.1/0.3", "--config", path.string(), "--folds", "2", "--report", "r"});
  EXPECT_EQ(both.options[0].run.fold.count, 2U);
  EXPECT_EQ(both.options[0].report, "");
  EXPECT_EQ(both.refit_options(both.trials[0]).run.fold.count, 0U);
  EXPECT_EQ(both.refit_options(both.trials[0]).report, "r");
}

TEST(SearchOptions, RefusesWhatMakesNoSearch) {
  EXPECT_EQ(error_of({}), "expected what to try, as lr=0.1/0.3 or lr=0.01..1:log, found nothing");
  EXPECT_EQ(error_of({"learning_rate=1/2"}), "unknown option --learning_rate; did you mean --lr?");
  EXPECT_EQ(error_of({"lr=1/2", "lr=3/4"}), "--lr: expected it once, found it twice");
  EXPECT_EQ(error_of({"lr=1/2", "--lr", "3"}),
            "--lr: expected it to be varied or given, found both");
  for (const std::string shared : {"data", "threads", "metrics", "repeat", "init", "val-size",
                                   "standardize", "trials", "journal"}) {
    std::string expected = "--" + shared;
    expected += ": expected an option of the model, of training or of augmentation to vary, found ";
    expected += "one that all trials share";
    EXPECT_EQ(error_of({shared + "=1/2"}), expected);
  }
  const std::string resume = "--resume: expected --journal, by which a search goes on";
  EXPECT_EQ(error_of({"lr=1/2", "--checkpoint-dir", "c", "--resume"}), resume);
  EXPECT_EQ(error_of({"--resume", "lr=1/2"}), resume);
  EXPECT_EQ(error_of({"lr=1/2", "--epochs", "0"}),
            "--epochs: expected at least 1 to judge trials by, found 0");
  EXPECT_EQ(parse_search({"epochs=0/1"}).trials.size(), 1U);
  EXPECT_EQ(error_of({"lr=1/2/3", "--repeat", "1000000"}),
            "expected at most 1000000 runs, found 3 trials of 1000000");
  const std::string many = "1/2/3/4/5/6/7/8/9/10";
  EXPECT_EQ(error_of({"seed=" + many, "lr=" + many, "batch=" + many, "clip-norm=" + many,
                      "rotate=" + many}),
            "expected at most 10000 combinations, or --trials to try some, found 100000");
  EXPECT_EQ(error_of({"lr=1/2", "--metrics", "a.jsonl", "--journal", "a.jsonl"}),
            "--metrics: expected another file than --journal has, found 'a.jsonl'");
}

TEST(SearchOptions, HelpHasTheTrainersOptionsToo) {
  const std::string help = parse_search({"--help"}).help;
  EXPECT_TRUE(help.starts_with("Usage: trainer search OPTION=VALUES"));
  for (const char* option : {"--trials", "--journal", "--lr", "--checkpoint-dir"}) {
    EXPECT_NE(help.find(option), std::string::npos) << option;
  }
}

}  // namespace
}  // namespace millrace
