#include "tools/trainer/checkpoint_guard.h"

#include <gtest/gtest.h>

#include "tests/support/files.h"
#include "tests/tools/usage_error.h"

namespace millrace {
namespace {

using test::data_error_of;
using test::make_bytes;
using test::TempFolder;
using test::usage_error_of;
using test::write_bytes;

class CheckpointGuard : public ::testing::Test {
 protected:
  CheckpointGuard() { run_.checkpoint_dir = folder_.path(); }
  void write(const std::string& name) const { write_bytes(folder_ / name, make_bytes("x")); }
  bool takes() const {
    try {
      refuse_to_replace_checkpoints(run_);
      return true;
    } catch (const UsageError&) {
      return false;
    }
  }
  std::string refusal() const {
    return usage_error_of([&] { refuse_to_replace_checkpoints(run_); });
  }
  TempFolder folder_;
  RunSpec run_;
};

TEST_F(CheckpointGuard, TakesAFolderWithoutCheckpoints) {
  EXPECT_TRUE(takes());
  write("notes.txt");
  write("quarantine.jsonl");
  write("model.safetensors");
  EXPECT_TRUE(takes());
  run_.checkpoint_dir = folder_ / "new";
  EXPECT_TRUE(takes());
  run_.checkpoint_dir.clear();
  EXPECT_TRUE(takes());
}

TEST_F(CheckpointGuard, NamesWhatWouldBeReplaced) {
  write("last.safetensors");
  const std::string begin = "--checkpoint-dir " + folder_.path().string() +
                            ": expected no checkpoints of another run, found ";
  const std::string end = "; --resume goes on from them, --force replaces them";
  EXPECT_EQ(refusal(), begin + "last.safetensors" + end);
  write("best.safetensors");
  EXPECT_EQ(refusal(), begin + "best.safetensors, last.safetensors" + end);
  for (const char* step : {"1", "2", "3", "40"}) {
    write(std::string("step-") + step + ".safetensors");
  }
  EXPECT_EQ(refusal(), begin +
                           "best.safetensors, last.safetensors, step-1.safetensors, "
                           "step-2.safetensors and 2 more" +
                           end);
}

TEST_F(CheckpointGuard, LetsARunGoOnFromThem) {
  write("last.safetensors");
  run_.resume = true;
  EXPECT_TRUE(takes());
  for (const auto& from : {folder_ / "last.safetensors", folder_.path(), folder_ / ""}) {
    run_.resume_from = from;
    EXPECT_TRUE(takes()) << from;
  }
  // From elsewhere it would replace those of a third run.
  const TempFolder other;
  run_.resume_from = write_bytes(other / "last.safetensors", make_bytes("x"));
  EXPECT_FALSE(takes());
  for (const std::filesystem::path& from :
       {other.path(), std::filesystem::path("last.safetensors")}) {
    run_.resume_from = from;
    EXPECT_FALSE(takes()) << from;
  }
}

TEST_F(CheckpointGuard, SaysWhatCannotBeListed) {
  write("file");
  run_.checkpoint_dir = folder_ / "file";
  EXPECT_EQ(data_error_of([&] { refuse_to_replace_checkpoints(run_); }),
            (folder_ / "file").string() + ": cannot list the folder: Not a directory");
}

}  // namespace
}  // namespace millrace
