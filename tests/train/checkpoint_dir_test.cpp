#include "train/checkpoint_dir.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "formats/error.h"
#include "tests/support/files.h"
#include "tests/support/limits.h"

namespace millrace {
namespace {

using Names = std::vector<std::string>;

Checkpoint at_step(std::uint64_t step) {
  Checkpoint c;
  c.parameters = {{"0.weight", {1, 2}, {1, static_cast<float>(step)}}, {"0.bias", {1}, {0}}};
  c.state.step = step;
  c.state.batch = step;
  c.state.options.widths = {2, 1};
  return c;
}

struct Heard {
  std::vector<std::string> lines;
  std::function<void(const std::string&)> notice = [this](const std::string& line) {
    lines.push_back(line);
  };
};

TEST(CheckpointDir, IsOneRunsAtATime) {
  const test::TempFolder folder;
  {
    const CheckpointDir dir(folder.path(), 1);
    try {
      const CheckpointDir other(folder.path(), 1);
      FAIL() << "two at once";
    } catch (const DataError& error) {
      EXPECT_EQ(error.what(),
                folder.path().string() + ": another run is writing its checkpoints to this folder");
    }
  }
  const CheckpointDir next(folder.path(), 1);
}

TEST(CheckpointDir, MakesItsFolder) {
  const test::TempFolder folder;
  const CheckpointDir dir(folder / "a/b", 3);
  EXPECT_TRUE(std::filesystem::is_directory(folder / "a/b"));
  EXPECT_TRUE(std::filesystem::is_empty(folder / "a/b"));
}

TEST(CheckpointDir, KeepsTheNewestSteps) {
  const test::TempFolder folder;
  const CheckpointDir dir(folder.path(), 2);
  for (const std::uint64_t step : {8, 9, 10, 100}) dir.save_step(at_step(step));
  dir.save_last(at_step(100));
  dir.save_best(at_step(8));
  EXPECT_EQ(folder.names(), (Names{"best.safetensors", "last.safetensors", "step-10.safetensors",
                                   "step-100.safetensors"}));
}

TEST(CheckpointMeant, IsTheFileOrTheBestOfAFolderElseItsLast) {
  const test::TempFolder folder;
  const auto path = folder / "run";
  EXPECT_EQ(checkpoint_meant(folder / "none"), folder / "none");
  const auto refusal = [](const std::filesystem::path& of) {
    return test::data_error_of([&] { (void)checkpoint_meant(of); });
  };
  const CheckpointDir dir(path, 2);
  const auto expected =
      path.string() + ": expected best.safetensors or last.safetensors in this folder, found ";
  EXPECT_EQ(refusal(path), expected + "neither");
  dir.save_step(at_step(4));
  EXPECT_EQ(refusal(path), expected + "step-4.safetensors");
  const auto last = dir.save_last(at_step(8));
  EXPECT_EQ(checkpoint_meant(path), last);
  const auto best = dir.save_best(at_step(6));
  EXPECT_EQ(checkpoint_meant(path), best);
  EXPECT_EQ(checkpoint_meant(last), last);
  EXPECT_TRUE(refusal(folder.path()).ends_with("found neither, but some in " + path.string()));
}

TEST(CheckpointDir, BestAndLastMayBeOneFileUntilEitherIsReplaced) {
  const test::TempFolder folder;
  const CheckpointDir dir(folder.path(), 2);
  EXPECT_EQ(dir.save_best_and_last(at_step(8)), folder / "last.safetensors");
  EXPECT_EQ(load_checkpoint(folder / "best.safetensors").state.step, 8U);
  EXPECT_EQ(load_checkpoint(folder / "last.safetensors").state.step, 8U);
  dir.save_last(at_step(16));
  EXPECT_EQ(load_checkpoint(folder / "best.safetensors").state.step, 8U);
  EXPECT_EQ(load_checkpoint(folder / "last.safetensors").state.step, 16U);
  dir.save_best_and_last(at_step(24));
  dir.save_best(at_step(32));
  EXPECT_EQ(load_checkpoint(folder / "best.safetensors").state.step, 32U);
  EXPECT_EQ(load_checkpoint(folder / "last.safetensors").state.step, 24U);
  EXPECT_EQ(folder.names(), (Names{"best.safetensors", "last.safetensors"}));
}

TEST(CheckpointDir, ALongerRunsOldStepsGoFirst) {
  const test::TempFolder folder;
  const CheckpointDir dir(folder.path(), 2);
  dir.save_step(at_step(900));
  // Not only a clock tick older.
  std::filesystem::last_write_time(
      folder / "step-900.safetensors",
      std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  dir.save_step(at_step(1));
  dir.save_step(at_step(2));
  EXPECT_EQ(folder.names(), (Names{"step-1.safetensors", "step-2.safetensors"}));
}

TEST(CheckpointDir, LeavesFilesThatAreNotItsOwn) {
  const test::TempFolder folder;
  const Names others = {"step-.safetensors", "step-1x.safetensors", "step-7.txt"};
  for (const auto& name : others) test::write_bytes(folder / name, {});
  const CheckpointDir dir(folder.path(), 1);
  dir.save_step(at_step(1));
  dir.save_step(at_step(2));
  for (const auto& name : others) EXPECT_TRUE(std::filesystem::exists(folder / name)) << name;
  EXPECT_FALSE(std::filesystem::exists(folder / "step-1.safetensors"));
}

TEST(CheckpointDir, IsClearedOfCheckpointsAlone) {
  const test::TempFolder folder;
  test::write_bytes(folder / "quarantine.jsonl", {});
  const CheckpointDir dir(folder.path(), 3);
  for (const std::uint64_t step : {1, 2}) dir.save_step(at_step(step));
  dir.save_best_and_last(at_step(2));
  dir.clear();
  EXPECT_EQ(folder.names(), (Names{"quarantine.jsonl"}));
}

TEST(CheckpointDir, AFolderThatCannotBeWrittenIsFoundAtOnce) {
  const test::TempFolder folder;
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0555));
  {
    const test::WithoutRoot plain_user;
    EXPECT_THROW(CheckpointDir(folder.path(), 1), DataError);
    EXPECT_THROW(CheckpointDir(folder / "below", 1), DataError);
  }
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
  test::write_bytes(folder / "file", {});
  EXPECT_THROW(CheckpointDir(folder / "file", 1), DataError);
}

TEST(CheckpointDir, AFullDiskKeepsTheOldCheckpoint) {
  const test::TempFolder folder;
  const CheckpointDir dir(folder.path(), 1);
  dir.save_last(at_step(1));
  dir.save_step(at_step(1));
  const auto before = test::read_bytes(folder / "last.safetensors");
  {
    const test::FileSizeLimit full(64);
    EXPECT_THROW(dir.save_last(at_step(2)), DataError);
    EXPECT_THROW(dir.save_step(at_step(2)), DataError);
  }
  EXPECT_EQ(test::read_bytes(folder / "last.safetensors"), before);
  EXPECT_EQ(folder.names(), (Names{"last.safetensors", "step-1.safetensors"}));
}

TEST(NewestGood, OfAnEmptyOrMissingFolderIsNone) {
  const test::TempFolder folder;
  Heard heard;
  EXPECT_FALSE(newest_good(folder.path(), heard.notice));
  EXPECT_FALSE(newest_good(folder / "missing", heard.notice));
  EXPECT_TRUE(heard.lines.empty());
}

TEST(NewestGood, TakesTheOneWrittenLast) {
  const test::TempFolder folder;
  const CheckpointDir dir(folder.path(), 3);
  dir.save_best(at_step(5));
  dir.save_last(at_step(5));
  Heard heard;
  EXPECT_EQ(newest_good(folder.path(), heard.notice)->path.filename(), "last.safetensors");
  dir.save_step(at_step(6));
  std::filesystem::last_write_time(
      folder / "step-6.safetensors",
      std::filesystem::file_time_type::clock::now() + std::chrono::seconds(1));
  const auto found = newest_good(folder.path(), heard.notice);
  EXPECT_EQ(found->path.filename(), "step-6.safetensors");
  EXPECT_EQ(found->checkpoint.state.step, 6U);
  EXPECT_TRUE(heard.lines.empty());
}

TEST(NewestGood, FindsItBesideNamesWithoutAFile) {
  const test::TempFolder folder;
  const CheckpointDir dir(folder.path(), 3);
  dir.save_last(at_step(7));
  // As one that another run removes between the folder's listing and a look at it.
  for (const std::uint64_t step : {1, 2, 3, 4, 5, 6, 8, 9}) {
    std::filesystem::create_symlink(folder / "none",
                                    folder / ("step-" + std::to_string(step) + ".safetensors"));
  }
  Heard heard;
  const auto found = newest_good(folder.path(), heard.notice);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->path.filename(), "last.safetensors");
  EXPECT_TRUE(heard.lines.empty());
}

TEST(NewestGood, PassesOverADamagedOneAndSaysSo) {
  const test::TempFolder folder;
  const CheckpointDir dir(folder.path(), 3);
  dir.save_step(at_step(6));
  const auto last = dir.save_last(at_step(7));
  std::filesystem::resize_file(last, std::filesystem::file_size(last) - 1);
  Heard heard;
  const auto found = newest_good(folder.path(), heard.notice);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->path.filename(), "step-6.safetensors");
  ASSERT_EQ(heard.lines.size(), 1U);
  EXPECT_NE(heard.lines[0].find("last.safetensors"), std::string::npos) << heard.lines[0];
}

TEST(NewestGood, AllDamagedIsAnErrorAndNotANewRun) {
  const test::TempFolder folder;
  test::write_bytes(folder / "last.safetensors", {});
  Heard heard;
  EXPECT_THROW(newest_good(folder.path(), heard.notice), DataError);
  EXPECT_EQ(heard.lines.size(), 1U);
}

TEST(CheckpointNames, AreThoseThatARunWrites) {
  const test::TempFolder folder;
  EXPECT_TRUE(checkpoint_names(folder / "none").empty());
  for (const char* name :
       {"step-12.safetensors", "last.safetensors", "best.safetensors", "step-x.safetensors",
        "model.safetensors", ".last.safetensors.1-0.millrace-tmp"}) {
    test::write_bytes(folder / name, test::make_bytes("x"));
  }
  EXPECT_EQ(
      checkpoint_names(folder.path()),
      (std::vector<std::string>{"best.safetensors", "last.safetensors", "step-12.safetensors"}));
}

}  // namespace
}  // namespace millrace
