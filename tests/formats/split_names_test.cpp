#include "formats/split_names.h"

#include <gtest/gtest.h>

#include "tests/support/files.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;
using Paths = std::vector<fs::path>;

TEST(SplitNames, AreWordsInAnyCase) {
  for (const auto split : {DataSplit::kTrain, DataSplit::kTest, DataSplit::kValidation}) {
    EXPECT_EQ(split_called(name_of(split)), split);
  }
  EXPECT_EQ(split_called("Training"), DataSplit::kTrain);
  EXPECT_EQ(split_called("T10K"), DataSplit::kTest);
  EXPECT_EQ(split_called("valid"), DataSplit::kValidation);
  EXPECT_FALSE(split_called("trains"));
  EXPECT_FALSE(split_called(""));
}

TEST(SplitNames, AreFoundAmongOthers) {
  EXPECT_EQ(split_in_name("mnist_train.csv"), DataSplit::kTrain);
  EXPECT_EQ(split_in_name("cifar10-test-000001.tar"), DataSplit::kTest);
  EXPECT_EQ(split_in_name("VAL"), DataSplit::kValidation);
  EXPECT_EQ(split_in_name("train-test.csv"), DataSplit::kTrain) << "the first one counts";
  EXPECT_FALSE(split_in_name("iris.csv"));
  EXPECT_FALSE(split_in_name("latest.csv"));
  EXPECT_FALSE(split_in_name("--"));
  EXPECT_FALSE(split_in_name(""));
}

TEST(SplitNames, PlainNamesHaveNoCompression) {
  EXPECT_EQ(plain_file_name("a/Train.CSV.gz"), "train.csv");
  EXPECT_EQ(plain_file_name("x.tar.zst"), "x.tar");
  EXPECT_EQ(plain_file_name("x.npy"), "x.npy");
}

TEST(SplitNames, FilesAreListedOnceByTheirEnding) {
  const test::TempFolder folder;
  for (const auto* name : {"b.csv", "a.csv.gz", "a.csv", "a.csv.zst", "c.csv.zst", "c.csv.gz",
                           ".h.csv", "x.tar", ".csv"}) {
    test::write_bytes(folder / name, {});
  }
  fs::create_directory(folder / "d.csv");
  EXPECT_EQ(files_ending_in(folder.path(), ".csv"),
            (Paths{folder / "a.csv", folder / "b.csv", folder / "c.csv.gz"}));
  EXPECT_EQ(test::data_error_of([&] { (void)files_ending_in(folder / "none", ".csv"); }),
            (folder / "none").string() + ": cannot list the folder: No such file or directory");
}

TEST(SplitNames, FilesWhoseNamesDifferInCaseAreAllListed) {
  const test::TempFolder folder;
  for (const auto* name : {"train-a.tar", "train-A.tar.gz", "train-A.tar", "TRAIN-B.TAR.GZ"}) {
    test::write_bytes(folder / name, {});
  }
  EXPECT_EQ(files_ending_in(folder.path(), ".tar"),
            (Paths{folder / "train-A.tar", folder / "train-a.tar", folder / "TRAIN-B.TAR.GZ"}));
}

TEST(SplitNames, FilesAreSortedIntoSplits) {
  const auto whole = split_files({"a-test.csv", "a-train.csv", "a-val.csv", "other.csv"});
  EXPECT_EQ(whole.train, Paths{"a-train.csv"});
  EXPECT_EQ(whole.test, Paths{"a-test.csv"});
  EXPECT_EQ(whole.left_out, (Paths{"a-val.csv", "other.csv"}));
  EXPECT_TRUE(whole.validation.empty());
  const auto own = split_files({"a-test.csv", "a-train.csv", "a-val.csv", "other.csv"}, true);
  EXPECT_EQ(own.test, Paths{"a-test.csv"});
  EXPECT_EQ(own.validation, Paths{"a-val.csv"});
  EXPECT_EQ(own.left_out, Paths{"other.csv"});
  const auto for_test = split_files({"train-0.tar", "val-0.tar"}, true);
  EXPECT_EQ(for_test.test, Paths{"val-0.tar"});
  EXPECT_TRUE(for_test.validation.empty());
  const auto validated = split_files({"train-0.tar", "train-1.tar", "val-0.tar"});
  EXPECT_EQ(validated.train, (Paths{"train-0.tar", "train-1.tar"}));
  EXPECT_EQ(validated.test, Paths{"val-0.tar"});
  const auto unnamed = split_files({"iris.csv"});
  EXPECT_EQ(unnamed.train, Paths{"iris.csv"});
  EXPECT_TRUE(unnamed.test.empty());
  EXPECT_TRUE(unnamed.left_out.empty());
}

}  // namespace
}  // namespace millrace
