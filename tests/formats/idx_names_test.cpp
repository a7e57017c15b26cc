#include "formats/idx_names.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/files.h"

namespace millrace {
namespace {

using test::data_error_of;
using test::TempFolder;
using test::write_bytes;

void expect_name(const std::string& file, const std::string& variant, DataSplit split, IdxRole role,
                 int preference) {
  const auto name = parse_idx_name(file);
  ASSERT_TRUE(name) << file;
  EXPECT_EQ(name->variant, variant) << file;
  EXPECT_EQ(name->split, split) << file;
  EXPECT_EQ(name->role, role) << file;
  EXPECT_EQ(name->preference, preference) << file;
}

TEST(IdxName, OfMnistFashionMnistAndKmnist) {
  expect_name("train-images-idx3-ubyte", "", DataSplit::kTrain, IdxRole::kImages, 0);
  expect_name("train-labels-idx1-ubyte.gz", "", DataSplit::kTrain, IdxRole::kLabels, 1);
  expect_name("t10k-images-idx3-ubyte.zst", "", DataSplit::kTest, IdxRole::kImages, 2);
  expect_name("t10k-labels-idx1-ubyte", "", DataSplit::kTest, IdxRole::kLabels, 0);
}

TEST(IdxName, WithADotAsSomeUnpackThem) {
  expect_name("train-images.idx3-ubyte", "", DataSplit::kTrain, IdxRole::kImages, 0);
  expect_name("t10k-labels.idx1-ubyte.gz", "", DataSplit::kTest, IdxRole::kLabels, 1);
}

TEST(IdxName, OfEmnist) {
  expect_name("emnist-letters-train-images-idx3-ubyte.gz", "emnist-letters", DataSplit::kTrain,
              IdxRole::kImages, 1);
  expect_name("emnist-byclass-test-labels-idx1-ubyte", "emnist-byclass", DataSplit::kTest,
              IdxRole::kLabels, 0);
  expect_name("emnist-mnist-test-images-idx3-ubyte.zst", "emnist-mnist", DataSplit::kTest,
              IdxRole::kImages, 2);
}

TEST(IdxName, OfValidation) {
  expect_name("val-images-idx3-ubyte.zst", "", DataSplit::kValidation, IdxRole::kImages, 2);
  expect_name("letters-validation-labels-idx1-ubyte", "letters", DataSplit::kValidation,
              IdxRole::kLabels, 0);
}

TEST(IdxName, OfOtherTypesAndRanks) {
  expect_name("train-images-idx2-float32", "", DataSplit::kTrain, IdxRole::kImages, 0);
  expect_name("qmnist-train-labels-idx2-int.gz", "qmnist", DataSplit::kTrain, IdxRole::kLabels, 1);
}

TEST(IdxName, NothingElse) {
  for (const auto* name :
       {"", "train", "train-images", "train-images-idx", "train-images-idx3", "train-images-idx3-",
        "train-images-idxx-ubyte", "train-images-idx3-ubyte.bz2", "train-images-idx3-ubyte.gz.part",
        "train_images-idx3-ubyte", "train-images+idx3-ubyte", "train-imagesidx3-ubyte",
        "dev-images-idx3-ubyte", "emnisttrain-images-idx3-ubyte", "emnist-letters-mapping.txt",
        ".gz", "t10k-pictures-idx3-ubyte", "train-images-idx3-ubyte "}) {
    EXPECT_FALSE(parse_idx_name(name)) << name;
  }
}

TEST(IdxName, NamesRoles) {
  EXPECT_EQ(name_of(IdxRole::kImages), "images");
  EXPECT_EQ(name_of(IdxRole::kLabels), "labels");
}

TEST(FindIdxFiles, SortsAFolderByVariant) {
  const TempFolder folder;
  for (const auto* name :
       {"train-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte",
        "emnist-letters-train-images-idx3-ubyte", "emnist-letters-test-images-idx3-ubyte", "README",
        "train-images-idx3-ubyte.gz.part"}) {
    write_bytes(folder / name, {});
  }
  const auto found = find_idx_files(folder.path());
  ASSERT_EQ(found.size(), 2U);
  const auto& plain = found.at("");
  EXPECT_EQ(plain.at(DataSplit::kTrain, IdxRole::kImages), folder / "train-images-idx3-ubyte.gz");
  EXPECT_FALSE(plain.has(DataSplit::kTrain, IdxRole::kLabels));
  EXPECT_FALSE(plain.has(DataSplit::kTest, IdxRole::kImages));
  EXPECT_EQ(plain.at(DataSplit::kTest, IdxRole::kLabels), folder / "t10k-labels-idx1-ubyte");
  const auto& letters = found.at("emnist-letters");
  EXPECT_TRUE(letters.has(DataSplit::kTrain, IdxRole::kImages));
  EXPECT_TRUE(letters.has(DataSplit::kTest, IdxRole::kImages));
}

TEST(FindIdxFiles, PrefersPlainThenGzipThenZstd) {
  const TempFolder folder;
  const auto images = [&] {
    return find_idx_files(folder.path()).at("").at(DataSplit::kTrain, IdxRole::kImages);
  };
  write_bytes(folder / "train-images-idx3-ubyte.zst", {});
  EXPECT_EQ(images(), folder / "train-images-idx3-ubyte.zst");
  write_bytes(folder / "train-images-idx3-ubyte.gz", {});
  EXPECT_EQ(images(), folder / "train-images-idx3-ubyte.gz");
  write_bytes(folder / "train-images.idx3-ubyte", {});
  EXPECT_EQ(images(), folder / "train-images.idx3-ubyte");
  write_bytes(folder / "train-images-idx3-ubyte", {});
  EXPECT_EQ(images(), folder / "train-images-idx3-ubyte");
}

TEST(FindIdxFiles, PassesOverFoldersOfAFilesName) {
  const TempFolder folder;
  std::filesystem::create_directory(folder / "train-images-idx3-ubyte");
  EXPECT_TRUE(find_idx_files(folder.path()).empty());
  write_bytes(folder / "train-images.idx3-ubyte", {});
  EXPECT_EQ(find_idx_files(folder.path()).at("").at(DataSplit::kTrain, IdxRole::kImages),
            folder / "train-images.idx3-ubyte");
}

TEST(FindIdxFiles, FollowsSymbolicLinks) {
  const TempFolder folder;
  write_bytes(folder / "elsewhere", {});
  std::filesystem::create_symlink("elsewhere", folder / "train-images-idx3-ubyte");
  EXPECT_TRUE(find_idx_files(folder.path()).at("").has(DataSplit::kTrain, IdxRole::kImages));
}

TEST(FindIdxFiles, NamesAFolderThatIsMissing) {
  EXPECT_EQ(data_error_of([] { find_idx_files("/nowhere/at/all"); }),
            "/nowhere/at/all: cannot list the folder: No such file or directory");
}

}  // namespace
}  // namespace millrace
