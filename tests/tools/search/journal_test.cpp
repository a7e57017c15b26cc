#include "tools/search/journal.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "formats/error.h"
#include "tests/support/files.h"

namespace millrace {
namespace {

RunKey key_of(const std::string& rate) { return {"d4ta", {{"--lr", rate}}}; }

// To be looked for.
TrialRun seed(std::uint64_t seed, std::uint32_t fold = 0) {
  TrialRun run;
  run.seed = seed;
  run.fold = fold;
  return run;
}

TrialRun run_of(std::uint64_t number, std::uint32_t fold = 0) {
  TrialRun run = seed(number, fold);
  run.score = 0.5 + 0.125 * static_cast<double>(number);
  run.weights_hash = "ff";
  return run;
}

std::string text_of(const std::filesystem::path& path) {
  const test::ByteVector bytes = test::read_bytes(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TrialRun diverged() {
  TrialRun run;
  run.diverged = "nan";
  return run;
}

class JournalFile : public testing::Test {
 protected:
  test::TempFolder dir_;
  std::filesystem::path path_ = dir_.path() / "search.jsonl";
};

TEST_F(JournalFile, KeepsRuns) {
  {
    Journal journal(path_);
    EXPECT_EQ(journal.size(), 0U);
    journal.add(key_of("0.1"), run_of(0));
    journal.add(key_of("0.1"), run_of(1));
    journal.add(key_of("0.5"), diverged());
    EXPECT_EQ(journal.error(), "");
  }
  const Journal journal(path_);
  EXPECT_EQ(journal.size(), 3U);
  EXPECT_EQ(journal.find(key_of("0.1"), seed(0)), run_of(0));
  EXPECT_EQ(journal.find(key_of("0.1"), seed(1)), run_of(1));
  EXPECT_EQ(journal.find(key_of("0.5"), seed(0)), diverged());
  EXPECT_EQ(journal.find(key_of("0.5"), seed(1)), std::nullopt);
  EXPECT_EQ(journal.find(key_of("0.2"), seed(0)), std::nullopt);
  EXPECT_EQ(journal.find({"other", {{"--lr", "0.1"}}}, seed(0)), std::nullopt);
  EXPECT_EQ(journal.find({"d4ta", {{"--lr", "0.1"}, {"--ema", "0.9"}}}, seed(0)), std::nullopt);
}

TEST_F(JournalFile, TellsFoldsApart) {
  {
    Journal journal(path_);
    journal.add(key_of("0.1"), run_of(0, 1));
    journal.add(key_of("0.1"), run_of(0, 2));
  }
  const Journal journal(path_);
  EXPECT_EQ(journal.find(key_of("0.1"), seed(0, 2)), run_of(0, 2));
  EXPECT_EQ(journal.find(key_of("0.1"), seed(0)), std::nullopt);
  EXPECT_EQ(journal.find(key_of("0.1"), seed(0, 3)), std::nullopt);
}

TEST_F(JournalFile, TellsRunsThatWereLeftFromWholeOnes) {
  RunKey left = key_of("0.1");
  left.until = 3;
  {
    Journal journal(path_);
    journal.add(left, run_of(0));
  }
  const Journal journal(path_);
  EXPECT_EQ(journal.find(left, seed(0)), run_of(0));
  EXPECT_EQ(journal.find(key_of("0.1"), seed(0)), std::nullopt);
}

TEST_F(JournalFile, DropsALineThatWasCutOff) {
  {
    Journal journal(path_);
    journal.add(key_of("0.1"), run_of(0));
    journal.add(key_of("0.1"), run_of(1));
  }
  std::filesystem::resize_file(path_, std::filesystem::file_size(path_) - 20);
  {
    Journal journal(path_);
    EXPECT_EQ(journal.size(), 1U);
    journal.add(key_of("0.1"), run_of(2));
  }
  const Journal journal(path_);
  EXPECT_EQ(journal.find(key_of("0.1"), seed(0)), run_of(0));
  EXPECT_EQ(journal.find(key_of("0.1"), seed(1)), std::nullopt);
  EXPECT_EQ(journal.find(key_of("0.1"), seed(2)), run_of(2));
}

TEST_F(JournalFile, PassesOverLinesOfLaterForms) {
  { Journal(path_).add(key_of("0.1"), run_of(0)); }
  const std::string first = text_of(path_);
  const std::string later = "{\"search\":2,\"run\":{}}\n";
  test::write_bytes(path_, test::make_bytes(first + later + "{\"search\":1,\"data\":3}\n"));
  {
    Journal journal(path_);
    EXPECT_EQ(journal.size(), 1U);
  }
  EXPECT_TRUE(text_of(path_).starts_with(first + later)) << "nothing of it is lost";
}

TEST_F(JournalFile, IsNoOtherFile) {
  test::write_bytes(path_, test::make_bytes("a letter\n"));
  try {
    const Journal journal(path_);
    FAIL() << "opened";
  } catch (const DataError& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("search.jsonl"), std::string::npos) << message;
    EXPECT_NE(message.find("to be the journal file, found \"a letter\""), std::string::npos)
        << message;
  }
  EXPECT_EQ(text_of(path_), "a letter\n");
}

TEST_F(JournalFile, IsOneSearchsAtATime) {
  const Journal journal(path_);
  EXPECT_THROW(const Journal second(path_), DataError);
}

TEST(Deciding, LeavesOutWhatDecidesNothing) {
  const std::map<std::string, std::string> given{
      {"--data", "d"},    {"--lr", "0.1"},        {"--threads", "2"},          {"--seed", "3"},
      {"--metrics", "m"}, {"--repeat", "4"},      {"--residency", "resident"}, {"--epochs", "5"},
      {"--slots", "9"},   {"--some-new", "thing"}};
  EXPECT_EQ(deciding(given), (std::map<std::string, std::string>{
                                 {"--lr", "0.1"}, {"--epochs", "5"}, {"--some-new", "thing"}}));
  EXPECT_EQ(deciding({{"--lr", "0.10"}, {"--hidden", "8,08"}}),
            deciding({{"--lr", "1e-1"}, {"--hidden", "8,08"}}));
  EXPECT_EQ(deciding({{"--residency", "stream"}}).size(), 1U) << "another order of samples";
}

}  // namespace
}  // namespace millrace
