#include "tools/search/trial_runs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/training.h"
#include "tests/tools/usage_error.h"

namespace millrace {
namespace {

using Words = std::vector<std::string>;

TEST(SharesOf, FillTheCores) {
  const auto shares = [](std::uint32_t parallel, std::uint32_t threads, std::uint64_t runs,
                         std::uint32_t cores, bool gpu = false) {
    const Shares found = shares_of(parallel, threads, runs, cores, gpu);
    return std::pair(found.at_once, found.threads);
  };
  using Pair = std::pair<std::uint32_t, std::uint32_t>;
  EXPECT_EQ(shares(0, 0, 100, 16), (Pair{16, 1}));
  EXPECT_EQ(shares(0, 0, 4, 16), (Pair{4, 4}));
  EXPECT_EQ(shares(0, 4, 100, 16), (Pair{4, 4}));
  EXPECT_EQ(shares(0, 32, 100, 16), (Pair{1, 32}));
  EXPECT_EQ(shares(3, 0, 100, 16), (Pair{3, 5}));
  EXPECT_EQ(shares(50, 0, 100, 16), (Pair{50, 1}));
  EXPECT_EQ(shares(3, 2, 100, 16), (Pair{3, 2}));
  EXPECT_EQ(shares(0, 0, 100, 16, true), (Pair{1, 16}));
  EXPECT_EQ(shares(2, 0, 100, 16, true), (Pair{2, 8}));
  EXPECT_EQ(shares(0, 0, 0, 16), (Pair{1, 16}));
}

class Quiet final : public SearchListener {
 public:
  void warning(const std::string& text) override { ADD_FAILURE() << text; }
  void notice(const std::string& text) override {
    const std::lock_guard lock(mutex_);
    notices.push_back(text);
  }
  std::vector<std::string> notices;

 private:
  std::mutex mutex_;
};

class TrialsOfASearch : public testing::Test {
 protected:
  TrialsOfASearch() { data_.train = test::training_data(); }

  static SearchOptions search(const Words& more) {
    Words words{"--epochs", "3", "--batch", "16", "--val-size", "40", "--device", "cpu"};
    words.insert(words.end(), more.begin(), more.end());
    return parse_search(words);
  }
  TrialRuns run(
      const SearchOptions& search, const std::function<bool()>& stopped = [] { return false; }) {
    return run_trials(search, data_, quiet_, stopped);
  }

  DataFolder data_;
  Quiet quiet_;
};

TEST_F(TrialsOfASearch, EndInTheBitsOfRunsByThemselves) {
  const SearchOptions one =
      search({"lr=0.1/0.5", "hidden=8/16", "--repeat", "2", "--parallel", "1"});
  const TrialRuns runs = run(one);
  EXPECT_EQ(runs.runs, 8U);
  EXPECT_EQ(runs.wanted, 8U);
  EXPECT_EQ(runs.from_journal, 0U);
  ASSERT_EQ(runs.trials.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    ASSERT_EQ(runs.trials[i].runs.size(), 2U);
    for (std::uint64_t seed = 0; seed < 2; ++seed) {
      RunSpec spec = one.options[i].run;
      spec.validation_size = 40;
      spec.seed = seed;
      const std::atomic<bool> never{false};
      const RunResult alone = Trainer(spec, data_.train, nullptr, {}).fit(never);
      TrialRun expected = trial_run(spec, alone);
      expected.train_s = runs.trials[i].runs[seed].train_s;
      EXPECT_EQ(runs.trials[i].runs[seed], expected);
    }
  }
  const TrialRuns beside =
      run(search({"lr=0.1/0.5", "hidden=8/16", "--repeat", "2", "--parallel", "5"}));
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t k = 0; k < 2; ++k) {
      EXPECT_EQ(beside.trials[i].runs[k].weights_hash, runs.trials[i].runs[k].weights_hash);
    }
  }
}

TEST_F(TrialsOfASearch, AreNotRunAgainThatTheJournalHas) {
  const test::TempFolder dir;
  const std::string journal = (dir.path() / "j.jsonl").string();
  const TrialRuns first = run(search({"lr=0.1/0.5", "--journal", journal}));
  EXPECT_EQ(first.runs, 2U);
  // Threads decide nothing; one more rate is one more run.
  const TrialRuns more =
      run(search({"lr=0.5/0.1/0.3", "--journal", journal, "--threads", "2", "--slots", "2"}));
  EXPECT_EQ(more.from_journal, 2U);
  EXPECT_EQ(more.runs, 1U);
  EXPECT_EQ(more.trials[0].runs, first.trials[1].runs);
  EXPECT_EQ(more.trials[1].runs, first.trials[0].runs);
  // Other options and other data are other runs.
  EXPECT_EQ(run(search({"lr=0.1/0.5", "--journal", journal, "--momentum", "0.5"})).from_journal,
            0U);
  EXPECT_EQ(run(search({"lr=0.1/0.5", "--journal", journal})).from_journal, 2U);
  for (const auto& other :
       {test::memory_dataset({.seed = 9}), test::memory_dataset({.classes = 6})}) {
    data_.train = other;
    EXPECT_EQ(run(search({"lr=0.1/0.5", "--journal", journal})).from_journal, 0U);
  }
}

TEST_F(TrialsOfASearch, EndInTheSameBitsWhereverSamplesLie) {
  const TrialRuns lying = run(search({"lr=0.1/0.5"}));
  data_.train = test::memory_dataset({.contiguous = false});
  for (const char* residency : {"auto", "resident", "host"}) {
    const TrialRuns read = run(search({"lr=0.1/0.5", "--residency", residency}));
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(read.trials[i].runs[0].weights_hash, lying.trials[i].runs[0].weights_hash);
    }
  }
}

TEST_F(TrialsOfASearch, ThatDivergeAreKeptAsSuch) {
  const TrialRuns runs = run(search({"lr=0.1/1e30"}));
  EXPECT_FALSE(runs.trials[0].diverged());
  EXPECT_TRUE(runs.trials[1].diverged());
  EXPECT_NE(runs.trials[1].runs[0].diverged, "");
}

TEST_F(TrialsOfASearch, ThatCannotRunAreLeftOutBeforeTheFirst) {
  bool asked = false;
  const auto error = test::usage_error_of([&] {
    run(search({"hidden=8/16", "--class-weights", "1,2"}), [&] {
      asked = true;
      return false;
    });
  });
  EXPECT_TRUE(error.starts_with("--class-weights: expected")) << error;
  EXPECT_FALSE(asked);
  const TrialRuns some = run(search({"class-weights=1,2/1,1,1,1,2"}));
  EXPECT_EQ(some.wanted, 1U);
  EXPECT_TRUE(some.trials[0].runs.empty());
  EXPECT_EQ(some.trials[1].runs.size(), 1U);
}

TEST_F(TrialsOfASearch, ThatMemoryDoesNotHoldAreLeftOut) {
  const TrialRuns some = run(search({"hidden=8/1048576,1048576,1048576/16"}));
  EXPECT_EQ(some.wanted, 2U);
  EXPECT_EQ(some.trials[0].runs.size(), 1U);
  EXPECT_TRUE(some.trials[1].runs.empty());
  EXPECT_EQ(some.trials[2].runs.size(), 1U);
  ASSERT_EQ(quiet_.notices.size(), 1U);
  EXPECT_TRUE(
      quiet_.notices[0].starts_with("1 of 3 trials cannot be, and are left out: "
                                    "hidden=1048576,1048576,1048576 (--hidden: expected "
                                    "a model that fits"))
      << quiet_.notices[0];
}

TEST_F(TrialsOfASearch, LeaveItAtWhatThereIsWhenStopped) {
  const SearchOptions some = search({"lr=0.1/0.2/0.3/0.4", "--epochs", "100000"});
  const TrialRuns runs = run(some, [] { return true; });
  EXPECT_EQ(runs.runs, 0U);
  EXPECT_EQ(runs.wanted, 4U);
  for (const Trial& trial : runs.trials) EXPECT_TRUE(trial.runs.empty());
}

TEST_F(TrialsOfASearch, WriteNoFiles) {
  const test::TempFolder dir;
  const std::string folder = (dir.path() / "checkpoints").string();
  run(search({"lr=0.1/0.5", "--checkpoint-dir", folder, "--checkpoint-every", "1"}));
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST_F(TrialsOfASearch, AreValidatedOnEachFold) {
  Words words{"lr=0.1/0.5", "--epochs", "2", "--batch", "16", "--folds", "3", "--device", "cpu"};
  const SearchOptions folds = parse_search(words);
  const TrialRuns runs = run(folds);
  EXPECT_EQ(runs.wanted, 6U);
  for (std::size_t i = 0; i < 2; ++i) {
    ASSERT_EQ(runs.trials[i].runs.size(), 3U);
    for (std::uint32_t fold = 0; fold < 3; ++fold) {
      RunSpec spec = folds.options[i].run;
      spec.fold.index = fold;
      const std::atomic<bool> never{false};
      const RunResult alone = Trainer(spec, data_.train, nullptr, {}).fit(never);
      EXPECT_EQ(runs.trials[i].runs[fold].fold, fold + 1);
      EXPECT_EQ(runs.trials[i].runs[fold].weights_hash, alone.weights_hash);
    }
  }
  const test::TempFolder dir;
  words.insert(words.end(), {"--journal", (dir.path() / "j.jsonl").string()});
  run(parse_search(words));
  EXPECT_EQ(run(parse_search(words)).from_journal, 6U);
  // Parts of another number are others.
  words.insert(words.end(), {"--folds", "4"});
  EXPECT_EQ(run(parse_search(words)).from_journal, 0U);
}

class HalvedSearch : public TrialsOfASearch {
 protected:
  static Words words() {
    return {"lr=0.001/0.003/0.01/0.03/0.1/0.3/0.5/1/2", "--epochs", "9", "--halving", "3"};
  }
  // With all epochs, by itself.
  RunResult whole(const Options& options) const {
    RunSpec spec = options.run;
    spec.validation_size = 40;
    const std::atomic<bool> never{false};
    return Trainer(spec, data_.train, nullptr, {}).fit(never);
  }
};

TEST_F(HalvedSearch, LeavesTheBestOfEachRung) {
  const SearchOptions nine = search(words());
  const TrialRuns runs = run(nine);
  EXPECT_EQ(runs.rungs, 3U);
  EXPECT_EQ(runs.wanted, 9U + 3U + 1U);
  EXPECT_EQ(runs.runs, 13U);
  const auto best_first = ranked(runs.trials);
  ASSERT_EQ(best_first.size(), 9U);
  std::vector<std::uint64_t> epochs;
  for (const Trial& trial : best_first) epochs.push_back(trial.epochs());
  EXPECT_EQ(epochs, (std::vector<std::uint64_t>{9, 3, 3, 1, 1, 1, 1, 1, 1}));
  for (const Trial& trial : best_first) {
    RunResult alone = whole(nine.options[trial.number - 1]);
    if (trial.rung == 2) {
      EXPECT_EQ(trial.runs[0].weights_hash, alone.weights_hash);
    }
    alone.history.resize(trial.epochs());
    const TrialRun expected = trial_run(RunSpec(), alone);
    EXPECT_EQ(trial.runs[0].score, expected.score);
    EXPECT_EQ(trial.runs[0].loss, expected.loss);
    EXPECT_EQ(trial.runs[0].epoch, expected.epoch);
  }
  // Whoever was given up was behind, at that epoch, of all that went on.
  for (const std::size_t rung : {std::size_t{0}, std::size_t{1}}) {
    double least_kept = 1.0;
    double best_left = 0.0;
    for (const Trial& trial : runs.trials) {
      if (trial.rung < rung) continue;
      RunResult then = whole(nine.options[trial.number - 1]);
      then.history.resize(rung == 0 ? 1 : 3);
      const double score = trial_run(RunSpec(), then).score;
      if (trial.rung > rung) {
        least_kept = std::min(least_kept, score);
      } else {
        best_left = std::max(best_left, score);
      }
    }
    EXPECT_GE(least_kept, best_left) << rung;
  }
}

TEST_F(HalvedSearch, SaysWhereThereIsNothingToHalve) {
  EXPECT_EQ(run(search({"lr=0.1/0.5", "--halving", "3"})).rungs, 1U);
  EXPECT_EQ(quiet_.notices,
            Words{"--halving 3 gives up nothing: that takes 3 trials and 3 epochs at least"});
}

TEST_F(HalvedSearch, GoesOnFromItsJournalInTheSameBits) {
  const test::TempFolder dir;
  const auto path = dir / "j.jsonl";
  Words journaled = words();
  journaled.insert(journaled.end(), {"--journal", path.string()});
  const TrialRuns first = run(search(journaled));
  const TrialRuns again = run(search(journaled));
  EXPECT_EQ(again.runs, 0U);
  EXPECT_EQ(again.from_journal, 13U);
  // Of what the first rung left no state is kept: it is trained from the beginning.
  const test::ByteVector bytes = test::read_bytes(path);
  std::size_t end = 0;
  for (int lines = 0; lines < 10; ++end) lines += bytes[end] == std::byte{'\n'} ? 1 : 0;
  std::filesystem::resize_file(path, end);
  const TrialRuns rest = run(search(journaled));
  EXPECT_EQ(rest.from_journal, 10U);
  EXPECT_EQ(rest.runs, 3U);
  for (std::size_t i = 0; i < 9; ++i) {
    for (const TrialRuns* other : {&again, &rest}) {
      TrialRun run = other->trials[i].runs[0];
      run.train_s = first.trials[i].runs[0].train_s;
      EXPECT_EQ(run, first.trials[i].runs[0]);
      EXPECT_EQ(other->trials[i].rung, first.trials[i].rung);
    }
  }
  // A whole run is another entry than one that was left.
  Words whole{"lr=0.001/0.003", "--epochs", "9", "--journal", path.string()};
  EXPECT_EQ(run(search(whole)).from_journal, 0U);
}

TEST_F(HalvedSearch, GivesUpWhatDivergedAndEndsWhereAllDid) {
  const TrialRuns runs =
      run(search({"lr=1e30/1e31/1e32/0.1/1e33/1e34", "--epochs", "4", "--halving", "2"}));
  const auto best_first = ranked(runs.trials);
  EXPECT_EQ(best_first[0].number, 4U);
  EXPECT_EQ(best_first[0].epochs(), 4U);
  EXPECT_EQ(runs.runs, 6U + 1U + 1U);
  const TrialRuns none = run(search({"lr=1e30/1e31/1e32", "--epochs", "4", "--halving", "2"}));
  EXPECT_EQ(none.runs, 3U);
  EXPECT_TRUE(ranked(none.trials)[0].diverged());
}

TEST_F(HalvedSearch, TakesAllRunsOfATrialTogether) {
  const TrialRuns runs = run(search({"lr=0.001/0.01/0.1/0.5", "--epochs", "4", "--halving", "2",
                                     "--repeat", "2", "--parallel", "3"}));
  EXPECT_EQ(runs.runs, 2U * (4U + 2U + 1U));
  for (const Trial& trial : runs.trials) {
    ASSERT_EQ(trial.runs.size(), 2U);
    EXPECT_EQ(trial.runs[0].seed, 0U);
    EXPECT_EQ(trial.runs[1].seed, 1U);
    EXPECT_EQ(trial.runs[0].epochs, trial.runs[1].epochs);
  }
}

}  // namespace
}  // namespace millrace
