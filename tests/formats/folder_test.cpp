#include "formats/folder.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/compressed.h"
#include "tests/support/files.h"
#include "tests/support/idx_files.h"
#include "tests/support/limits.h"

namespace millrace {
namespace {

using test::ByteVector;
using test::data_error_of;
using test::make_bytes;
using test::small_images;
using test::small_labels;
using test::TempFolder;
using test::write_bytes;

const std::string kLookedFor =
    "expected IDX files like train-images-idx3-ubyte, arrays like x_train.npy or in one .npz or "
    ".safetensors file, train.csv, train.parquet, CIFAR's data_batch_1.bin or train.bin, tar "
    "shards like "
    "train-000000.tar, or a sub-folder of images for each class, found ";

class FolderTest : public testing::Test {
 protected:
  void add(const std::string& name, const ByteVector& bytes) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    write_bytes(folder_ / name, bytes);
  }
  void add_train(const std::string& prefix = "", std::uint32_t count = 20) const {
    add(prefix + "train-images-idx3-ubyte", small_images(count));
    add(prefix + "train-labels-idx1-ubyte", small_labels(count, 7));
  }
  void add_test(const std::string& prefix = "t10k-", std::uint32_t count = 10) const {
    add(prefix + "images-idx3-ubyte", small_images(count));
    add(prefix + "labels-idx1-ubyte", small_labels(count, 5));
  }
  std::string at(const std::string& name) const { return (folder_ / name).string(); }
  std::string error_of(const std::string& name = "") const {
    return data_error_of(
        [&] { (void)open_folder(name.empty() ? folder_.path() : folder_ / name); });
  }
  std::string here() const { return folder_.path().string() + ": "; }

  TempFolder folder_;
};

TEST_F(FolderTest, OpensTrainingAndTestFiles) {
  add_train();
  add_test();
  const auto opened = open_folder(folder_.path());
  ASSERT_TRUE(opened.test);
  EXPECT_EQ(opened.train->size(), 20U);
  EXPECT_EQ(opened.test->size(), 10U);
  EXPECT_EQ(opened.train->classes(), 7U);
  EXPECT_EQ(opened.test->classes(), 7U) << "the training set's, though its own labels stop at 4";
  EXPECT_EQ(opened.description, here() + "20 training and 10 test samples, 2x3 uint8, 7 classes");
}

TEST_F(FolderTest, OpensValidationBesideTest) {
  add_train();
  add("val-images-idx3-ubyte", small_images(5));
  add("val-labels-idx1-ubyte", small_labels(5, 4));
  EXPECT_EQ(open_folder(folder_.path()).test->size(), 5U) << "it stands for one";
  add_test();
  const auto left_out = open_folder(folder_.path());
  EXPECT_FALSE(left_out.validation);
  EXPECT_EQ(left_out.description, here() +
                                      "20 training and 10 test samples, 2x3 uint8, 7 classes; left "
                                      "out: " +
                                      (folder_ / "val-images-idx3-ubyte").string());
  const auto opened = open_folder(folder_.path(), {.own_validation = true});
  EXPECT_EQ(opened.validation->size(), 5U);
  EXPECT_EQ(opened.validation->classes(), 7U);
  EXPECT_EQ(opened.description,
            here() + "20 training, 5 validation and 10 test samples, 2x3 uint8, 7 classes");
}

TEST_F(FolderTest, NeedsNoTestFiles) {
  add_train();
  const auto opened = open_folder(folder_.path());
  EXPECT_FALSE(opened.test);
  EXPECT_EQ(opened.description, here() + "20 training samples, 2x3 uint8, 7 classes");
}

TEST_F(FolderTest, FlatSamplesMayBeImages) {
  const auto images = small_images(20);
  add("train-images-idx2-ubyte",
      test::joined({test::idx_header(0x08, {20, 6}), std::span(images).subspan(16)}));
  add("train-labels-idx1-ubyte", small_labels(20, 7));
  const auto opened = open_folder(folder_.path(), {.image = {.flat = ImageSize{3, 2}}});
  EXPECT_EQ(opened.train->shape(), (SampleShape{{2, 3}}));
}

TEST_F(FolderTest, TakesTheFormOfImagesThatIsKnownWhereNoneIsAskedFor) {
  add_train();
  OpenOptions options{.known = {.image = {.resize = ImageSize{.width = 4, .height = 3}}}};
  EXPECT_EQ(open_folder(folder_.path(), options).train->shape(), (SampleShape{{3, 4}}));
  options.image.channels = ImageChannels::kRgb;
  EXPECT_EQ(open_folder(folder_.path(), options).train->shape(), (SampleShape{{3, 4, 3}}));
  options.image.resize = ImageSize{.width = 2, .height = 2};
  EXPECT_EQ(open_folder(folder_.path(), options).train->shape(), (SampleShape{{2, 2, 3}}));
}

TEST_F(FolderTest, LeavesSamplesThatAreNoImagesWhateverFormIsKnown) {
  const auto images = small_images(20);
  add("train-images-idx2-ubyte",
      test::joined({test::idx_header(0x08, {20, 6}), std::span(images).subspan(16)}));
  add("train-labels-idx1-ubyte", small_labels(20, 7));
  const KnownData known{.image = {.resize = ImageSize{.width = 4, .height = 3}}};
  EXPECT_EQ(open_folder(folder_.path(), {.known = known}).train->shape(), (SampleShape{{6}}));
}

TEST_F(FolderTest, ReadsEveryFormAndMixesThem) {
  add("train-images-idx3-ubyte.gz", test::gzip_member(small_images(20)));
  add("train-labels.idx1-ubyte.zst", test::zstd_frame(small_labels(20, 7)));
  add("t10k-images-idx3-ubyte", small_images(10));
  add("test-labels-idx1-ubyte.gz", test::gzip_member(small_labels(10, 5)));
  const auto opened = open_folder(folder_.path());
  EXPECT_EQ(opened.train->size(), 20U);
  ASSERT_TRUE(opened.test);
  EXPECT_EQ(opened.test->size(), 10U);
}

TEST_F(FolderTest, PrefersThePlainFile) {
  add_train();
  add("train-images-idx3-ubyte.gz", make_bytes("never looked at"));
  EXPECT_EQ(open_folder(folder_.path()).train->name(), at("train-images-idx3-ubyte"));
}

TEST_F(FolderTest, IgnoresOtherFiles) {
  add_train();
  add("README.txt", make_bytes("hello"));
  add("train-images-idx3-ubyte.gz.part", make_bytes("half"));
  add("cache/x", {});
  EXPECT_EQ(open_folder(folder_.path()).train->size(), 20U);
}

TEST_F(FolderTest, OpensASingleEmnistVariant) {
  add_train("emnist-letters-");
  add_test("emnist-letters-test-");
  const auto opened = open_folder(folder_.path());
  EXPECT_EQ(opened.train->size(), 20U);
  ASSERT_TRUE(opened.test);
  EXPECT_EQ(opened.test->size(), 10U);
}

TEST_F(FolderTest, OpensOneOfSeveralVariantsByName) {
  add_train("emnist-letters-", 20);
  add_test("emnist-letters-test-");
  add_train("emnist-digits-", 30);
  EXPECT_EQ(error_of(), here() + "expected one data set, found 2; choose one of " +
                            at("emnist-digits") + ", " + at("emnist-letters"));
  for (const auto* name : {"letters", "emnist-letters", "letters/"}) {
    const auto opened = open_folder(folder_ / name);
    EXPECT_EQ(opened.train->size(), 20U);
    ASSERT_TRUE(opened.test);
    EXPECT_EQ(opened.test->size(), 10U);
  }
  EXPECT_EQ(open_folder(folder_ / "digits").train->size(), 30U);
  EXPECT_EQ(error_of("balanced"),
            at("balanced") + ": cannot open the data folder: No such file or directory");
}

TEST_F(FolderTest, MnistsOwnFilesAreMeantWhereThereAreVariantsToo) {
  add_train("", 40);
  add_train("emnist-letters-", 20);
  EXPECT_EQ(open_folder(folder_.path()).train->size(), 40U);
  EXPECT_EQ(open_folder(folder_ / "letters").train->size(), 20U);
}

TEST_F(FolderTest, OpensThePairOfAFile) {
  add_train();
  add_test();
  for (const auto* name : {"train-images-idx3-ubyte", "train-labels-idx1-ubyte"}) {
    const auto opened = open_folder(folder_ / name);
    EXPECT_EQ(opened.train->size(), 20U);
    EXPECT_FALSE(opened.test);
  }
  EXPECT_EQ(open_folder(folder_ / "t10k-images-idx3-ubyte").train->size(), 10U);
}

TEST_F(FolderTest, AFileGivenIsTheOneThatIsRead) {
  add_train();
  add("train-images-idx3-ubyte.gz", test::gzip_member(small_images(20)));
  EXPECT_EQ(open_folder(folder_ / "train-images-idx3-ubyte.gz").train->name(),
            at("train-images-idx3-ubyte.gz"));
}

TEST_F(FolderTest, GivesTheSameWhateverTheForm) {
  add_train();
  const auto plain = open_folder(folder_.path()).train->hash();
  std::filesystem::remove(folder_ / "train-images-idx3-ubyte");
  add("train-images-idx3-ubyte.zst", test::zstd_frame(small_images(20)));
  EXPECT_EQ(open_folder(folder_.path()).train->hash(), plain);
}

TEST_F(FolderTest, NamesAMissingFolder) {
  EXPECT_EQ(error_of("nowhere"),
            at("nowhere") + ": cannot open the data folder: No such file or directory");
  EXPECT_EQ(error_of("nowhere/at/all"),
            at("nowhere/at/all") + ": cannot open the data folder: No such file or directory");
}

TEST_F(FolderTest, NamesAFolderThatMayNotBeRead) {
  add_train();
  std::filesystem::permissions(folder_.path(), std::filesystem::perms::none);
  {
    const test::WithoutRoot nobody;
    EXPECT_EQ(error_of(), here() + "cannot list the folder: Permission denied");
    EXPECT_EQ(error_of("letters"), here() + "cannot list the folder: Permission denied");
  }
  std::filesystem::permissions(folder_.path(), std::filesystem::perms::owner_all);
}

TEST_F(FolderTest, SaysWhatItLookedForAndWhatThereWas) {
  EXPECT_EQ(error_of(), here() + kLookedFor + "an empty folder");
  add("b.png", {});
  add("a.txt", {});
  EXPECT_EQ(error_of(), here() + kLookedFor + "a.txt, b.png");
  for (const auto* name : {"c", "d", "e", "f", "g"}) add(name, {});
  EXPECT_EQ(error_of(), here() + kLookedFor + "a.txt, b.png, c, d, e and 2 more");
  std::filesystem::create_directory(folder_ / "aa");
  add("aa/1.webp", {});
  EXPECT_EQ(error_of(), here() + kLookedFor + "a.txt, aa/ with 1.webp, b.png, c, d and 3 more");
}

TEST_F(FolderTest, NamesWhatIsNotReadAndWhatToDo) {
  const std::string feather =
      "train.feather (Feather, which is not read: write it as .parquet or .csv, or pictures as a "
      "folder for each class)";
  add("README.md", {});
  add("data/test.feather", {});
  add("data/train.feather", {});
  EXPECT_EQ(error_of(), here() + kLookedFor + "data/test" + feather.substr(5));
  EXPECT_EQ(error_of("data"), at("data") + ": " + kLookedFor + "test" + feather.substr(5));
  add("a.pkl", {});
  EXPECT_TRUE(
      error_of().starts_with(here() + kLookedFor + "a.pkl (a Python pickle, which is not "));
  EXPECT_TRUE(
      error_of("a.pkl").ends_with(".csv, .parquet or .tar file, found a Python pickle, which is "
                                  "not read: write its arrays as .npz "
                                  "(x_train, y_train, x_test, y_test)"));
}

TEST_F(FolderTest, OpensTheOnlyFolderBelowAsTorchvisionHasIt) {
  add_train("MNIST/raw/");
  EXPECT_EQ(open_folder(folder_.path()).description,
            at("MNIST/raw") + ": 20 training samples, 2x3 uint8, 7 classes");
  add_train("KMNIST/");
  EXPECT_EQ(error_of(), here() + kLookedFor + "none here, but some in " + at("KMNIST") + " and " +
                            at("MNIST/raw"));
}

TEST_F(FolderTest, NamesWhatHasNoTargets) {
  const auto error = [&](const std::string& name) {
    return data_error_of([&] { (void)open_folder(folder_ / name, {.task = Task::kRegression}); });
  };
  const std::string expected =
      ": expected a CSV file, arrays or IDX files, which can have targets (--task regression or "
      "multilabel), "
      "found ";
  add("images/cat/1.png", {});
  EXPECT_EQ(error("images"), at("images") + expected + "a folder of images");
  add("cifar/data_batch_1.bin", {});
  EXPECT_EQ(error("cifar"), at("cifar") + expected + "CIFAR's binary files");
  add("tar/train-000000.tar", {});
  EXPECT_EQ(error("tar"), at("tar") + expected + "tar shards");
  EXPECT_EQ(error("tar/train-000000.tar"), at("tar/train-000000.tar") + expected + "a tar shard");
}

TEST_F(FolderTest, NamesHalfAPair) {
  add("train-images-idx3-ubyte", small_images(20));
  EXPECT_EQ(error_of(),
            here() + "expected a train labels file beside train-images-idx3-ubyte, found none");
  std::filesystem::remove(folder_ / "train-images-idx3-ubyte");
  add("train-labels-idx1-ubyte.gz", small_labels(20, 7));
  EXPECT_EQ(error_of(),
            here() + "expected a train images file beside train-labels-idx1-ubyte.gz, found none");
}

TEST_F(FolderTest, NamesHalfATestPair) {
  add_train();
  add("t10k-images-idx3-ubyte", small_images(20));
  EXPECT_EQ(error_of(),
            here() + "expected a test labels file beside t10k-images-idx3-ubyte, found none");
}

TEST_F(FolderTest, NamesMissingTrainingFiles) {
  add_test();
  EXPECT_EQ(
      error_of(),
      here() + "expected training files (train-images-…, train-labels-…), found test files only");
}

TEST_F(FolderTest, NamesAFileOfAnotherName) {
  add("pixels.bin", small_images(3));
  EXPECT_EQ(error_of("pixels.bin"),
            at("pixels.bin") +
                ": expected a folder, an IDX file named like "
                "train-images-idx3-ubyte, or an .npy, .npz, .safetensors, "
                ".csv, .parquet or .tar file, found a file of another name");
}

TEST_F(FolderTest, NamesTestLabelsOutsideTheClasses) {
  add_train();
  add_test();
  add("t10k-labels-idx1-ubyte", small_labels(10, 9));
  EXPECT_EQ(error_of(), at("t10k-labels-idx1-ubyte") +
                            ": byte 15: expected a label in [0, 7) for sample 7, found 7");
}

TEST_F(FolderTest, NamesTestSamplesOfAnotherShape) {
  add_train();
  add_test();
  add("t10k-images-idx3-ubyte",
      test::joined({test::idx_header(0x08, {10, 3, 2}),
                    std::span<const std::byte>(small_images(10)).subspan(16)}));
  EXPECT_EQ(error_of(), at("t10k-images-idx3-ubyte") +
                            ": byte 4: expected samples of 2x3 uint8, as in " +
                            at("train-images-idx3-ubyte") + ", found 3x2 uint8");
}

TEST_F(FolderTest, NamesTestSamplesOfAnotherType) {
  add_train();
  add_test();
  add("t10k-images-idx3-ubyte",
      test::joined({test::idx_header(0x09, {10, 2, 3}),
                    std::span<const std::byte>(small_images(10)).subspan(16)}));
  EXPECT_EQ(error_of(), at("t10k-images-idx3-ubyte") +
                            ": byte 2: expected samples of 2x3 uint8, as in " +
                            at("train-images-idx3-ubyte") + ", found 2x3 int8");
}

TEST_F(FolderTest, TheFilesOwnErrorsComeThrough) {
  add_train();
  add_test();
  add("t10k-labels-idx1-ubyte", make_bytes("<html>"));
  EXPECT_EQ(error_of(),
            at("t10k-labels-idx1-ubyte") +
                ": byte 0: expected an IDX file (00 00, type, rank), found 3c 68 74 6d");
  add("train-images-idx3-ubyte", make_bytes("x"));
  EXPECT_EQ(
      error_of(),
      at("train-images-idx3-ubyte") +
          ": byte 1: expected an IDX header of at least 4 bytes, found the end of the content")
      << "of two errors the training set's, whichever thread was first";
}

}  // namespace
}  // namespace millrace
