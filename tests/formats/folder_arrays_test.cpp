// Folders and files of arrays, as open_folder finds them.
#include <gtest/gtest.h>

#include <string>

#include "formats/folder.h"
#include "formats/safetensors.h"
#include "tests/support/npy_files.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;
using test::ByteVector;
using test::npy_images;
using test::npy_labels;

class FolderArraysTest : public testing::Test {
 protected:
  void add(const std::string& name, const ByteVector& bytes) const {
    test::write_bytes(folder_ / name, bytes);
  }
  std::string at(const std::string& name) const { return (folder_ / name).string(); }
  std::string error_of(const std::string& name = "") const {
    return test::data_error_of(
        [&] { (void)open_folder(name.empty() ? folder_.path() : folder_ / name); });
  }
  std::string description_of(const std::string& name = "") const {
    const auto path = name.empty() ? folder_.path() : folder_ / name;
    const auto description = open_folder(path).description;
    EXPECT_TRUE(description.starts_with(folder_.path().string()));
    return description.substr(description.find(": ") + 2);
  }

  test::TempFolder folder_;
};

const std::string kBoth = "20 training and 10 test samples, 2x3 uint8, 7 classes";
const std::string kOne = "20 training samples, 2x3 uint8, 7 classes";

TEST_F(FolderArraysTest, OpensNpyFiles) {
  add("x_train.npy", npy_images(20));
  add("y_train.npy", npy_labels(20, 7));
  EXPECT_EQ(description_of(), kOne);
  add("X_test.npy.gz", test::gzip_member(npy_images(10)));
  add("test_labels.npy.zst", test::zstd_frame(npy_labels(10, 5)));
  EXPECT_EQ(description_of(), kBoth);
  const auto opened = open_folder(folder_.path());
  EXPECT_EQ(opened.test->classes(), 7U) << "those of the training set";
  EXPECT_EQ(opened.train->contiguous().samples[7], std::byte{7});
  EXPECT_EQ(opened.train->contiguous().labels[8], 1);
}

/// Targets 0, 0.5, 1, … of type float64, `each` for each sample, or a column of one.
ByteVector npy_targets(std::uint64_t count, std::uint64_t each) {
  std::vector<double> targets(count * each);
  for (std::size_t i = 0; i < targets.size(); ++i) targets[i] = 0.5 * static_cast<double>(i);
  return test::npy_of({.dtype = DType::kFloat64, .shape = {count, each}}, test::bytes_of(targets));
}

TEST_F(FolderArraysTest, OpensTargets) {
  const OpenOptions regression{.task = Task::kRegression};
  add("x_train.npy", npy_images(20));
  add("y_train.npy", npy_targets(20, 2));
  add("x_test.npy", npy_images(10));
  add("y_test.npy", npy_targets(10, 2));
  const auto opened = open_folder(folder_.path(), regression);
  EXPECT_EQ(opened.description,
            folder_.path().string() + ": 20 training and 10 test samples, 2x3 uint8, 2 targets");
  EXPECT_EQ(opened.test->task(), Task::kRegression);
  EXPECT_EQ(target_of(opened.train->labels()[39]), 19.5F);
  const auto whole = open_folder(folder_.path(), regression).train;
  auto streamed = regression;
  streamed.in_blocks = true;
  EXPECT_EQ(open_folder(folder_.path(), streamed).train->hash(), whole->hash());
  EXPECT_EQ(error_of(), at("y_train.npy") +
                            ": expected labels, one number for each sample, found 20x2 float64 "
                            "(numbers that are to be learnt: --task regression; of 0 and 1 for "
                            "each label: --task multilabel)");
  add("y_test.npy", npy_targets(10, 3));
  EXPECT_EQ(
      test::data_error_of([&] { (void)open_folder(folder_.path(), regression); }),
      at("x_test.npy") + ": expected 2 targets, as in " + at("x_train.npy") + ", found 3 targets");
}

TEST_F(FolderArraysTest, OpensTargetsInArchives) {
  const std::vector<float> values(6 * 2);
  const std::vector<float> targets{1, 2, 3, 4, 5, 6.5F};
  const std::vector<TensorView> tensors{{"x", DType::kFloat32, {6, 2}, test::bytes_of(values)},
                                        {"y", DType::kFloat32, {6}, test::bytes_of(targets)}};
  write_safetensors(folder_ / "data.safetensors", tensors);
  const OpenOptions regression{.task = Task::kRegression};
  const auto data = open_folder(folder_ / "data.safetensors", regression).train;
  EXPECT_EQ(data->targets(), 1U);
  EXPECT_EQ(target_of(data->labels()[5]), 6.5F);
}

TEST_F(FolderArraysTest, OpensThePairOfAnNpyFile) {
  add("x_train.npy", npy_images(20));
  add("y_train.npy", npy_labels(20, 7));
  add("x_test.npy", npy_images(10));
  EXPECT_EQ(description_of("x_train.npy"), kOne);
  EXPECT_EQ(description_of("y_train.npy"), kOne);
  EXPECT_EQ(error_of("x_test.npy"),
            at("x_test.npy") + ": expected an array of labels beside \"x\", found none");
  add("weights.npy", npy_images(10));
  EXPECT_EQ(error_of("weights.npy"),
            at("weights.npy") +
                ": expected a name like x_train.npy, beside y_train.npy, or "
                "train_images.npy, found another");
}

TEST_F(FolderArraysTest, OpensAnNpzFile) {
  for (const bool deflated : {false, true}) {
    add("mnist.npz", test::zip_of({{"x_test.npy", npy_images(10), deflated, false},
                                   {"x_train.npy", npy_images(20), deflated, true},
                                   {"y_train.npy", npy_labels(20, 7), deflated, false},
                                   {"y_test.npy", npy_labels(10, 7), deflated, false},
                                   {"readme.txt", {}, false, false}}));
    EXPECT_EQ(description_of(), kBoth);
    EXPECT_EQ(description_of("mnist.npz"), kBoth);
  }
}

TEST_F(FolderArraysTest, OpensAnNpzFileForEachSplit) {
  add("train.npz", test::zip_of({{"images.npy", npy_images(20), true, false},
                                 {"labels.npy", npy_labels(20, 7), true, false}}));
  add("val.npz", test::zip_of({{"arr_0.npy", npy_images(10), true, false},
                               {"arr_1.npy", npy_labels(10, 7), true, false}}));
  EXPECT_EQ(description_of(), kBoth);
  EXPECT_EQ(description_of("train.npz"), kOne);
  add("other_train.npz", test::zip_of({}));
  EXPECT_EQ(error_of(), folder_.path().string() +
                            ": expected one data set, found 3; choose one of " +
                            at("other_train.npz") + ", " + at("train.npz") + ", " + at("val.npz"));
}

TEST_F(FolderArraysTest, NamesAnNpzFileWithoutSuchArrays) {
  add("model.npz", test::zip_of({{"w\n.npy", npy_images(1), false, false}}));
  const std::string expected =
      ": expected arrays named like x_train and y_train, train_images and train_labels, or images "
      "and labels, found \"w\\n\"";
  EXPECT_EQ(error_of(), at("model.npz") + expected);
  EXPECT_EQ(error_of("model.npz"), at("model.npz") + expected);
}

// As numpy.savez(file, **sklearn.datasets.load_digits()) writes them, and in the other order.
TEST_F(FolderArraysTest, TakesImagesWhereTheSameSamplesAreThereAsVectorsToo) {
  const test::ZipEntry images{"images.npy", npy_images(20), true, false};
  const test::ZipEntry labels{"target.npy", npy_labels(20, 7), true, false};
  ByteVector pixels(20 * 6);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::byte>(i);
  const auto with = [&](const NpyHeader& header, const ByteVector& data) {
    return test::ZipEntry{"data.npy", test::npy_of(header, data), true, false};
  };
  const auto vectors = with({.shape = {20, 6}}, pixels);
  for (const auto& entries : {std::vector{vectors, labels, images}, {images, labels, vectors}}) {
    add("digits.npz", test::zip_of(entries));
    EXPECT_EQ(description_of(), kOne + "; left out: data");
  }
  const auto refused = at("digits.npz") +
                       ": expected one array of samples (those that are meant, in a file without "
                       "the other), found \"images\" and \"data\"";
  pixels.back() ^= std::byte{1};
  for (const auto& other :
       {with({.shape = {20, 6}}, pixels), with({.shape = {20, 3}}, ByteVector(60)),
        with({.shape = {10, 12}}, pixels), with({.dtype = DType::kInt8, .shape = {20, 6}}, pixels),
        with({.shape = {}}, ByteVector(1))}) {
    add("digits.npz", test::zip_of({images, labels, other}));
    EXPECT_EQ(error_of(), refused);
  }
}

TEST_F(FolderArraysTest, NamesTheMemberThatIsWrong) {
  add("a.npz", test::zip_of({{"x.npy", npy_images(20), true, false},
                             {"y.npy", npy_labels(19, 7), true, false}}));
  EXPECT_EQ(error_of(), at("a.npz/y.npy") + ": expected 20 labels, one for each sample in " +
                            at("a.npz/x.npy") + ", found 19");
}

TEST_F(FolderArraysTest, OpensSafetensorsWithImagesAndLabels) {
  const ByteVector images(20 * 6, std::byte{3});
  const ByteVector labels(20, std::byte{1});
  const std::vector<TensorView> train{{"images", DType::kUInt8, {20, 2, 3}, images},
                                      {"labels", DType::kUInt8, {20}, labels}};
  write_safetensors(folder_ / "set.safetensors", train);
  EXPECT_EQ(description_of(), "20 training samples, 2x3 uint8, 2 classes");
  const std::vector<TensorView> both{
      {"train_images", DType::kUInt8, {20, 2, 3}, images},
      {"train_labels", DType::kUInt8, {20}, labels},
      {"test_images", DType::kUInt8, {10, 2, 3}, std::span(images).first(60)},
      {"test_labels", DType::kUInt8, {10}, std::span(labels).first(10)}};
  write_safetensors(folder_ / "set.safetensors", both);
  EXPECT_EQ(description_of("set.safetensors"),
            "20 training and 10 test samples, 2x3 uint8, 2 classes");
}

TEST_F(FolderArraysTest, CopiesTensorsThatAreNotAligned) {
  // A file of another writer: labels of eight bytes behind an odd number of others.
  const std::string header =
      R"({"x":{"dtype":"U8","shape":[1,3],"data_offsets":[0,3]},"y":{"dtype":"I64","shape":[1],"data_offsets":[3,11]}})";
  auto bytes = test::make_bytes({static_cast<int>(header.size()), 0, 0, 0, 0, 0, 0, 0});
  add("set.safetensors", test::joined({bytes, test::make_bytes(header),
                                       test::make_bytes({1, 2, 3, 5, 0, 0, 0, 0, 0, 0, 0})}));
  EXPECT_EQ(open_folder(folder_.path()).train->contiguous().labels[0], 5);
}

TEST_F(FolderArraysTest, LeavesModelsAlone) {
  const ByteVector bytes(4);
  const std::vector<TensorView> model{{"0.weight", DType::kFloat32, {1}, bytes}};
  write_safetensors(folder_ / "last.safetensors", model);
  EXPECT_NE(error_of().find("found last.safetensors"), std::string::npos);
  write_safetensors(folder_ / "best.safetensors", model);
  EXPECT_NE(error_of().find("found best.safetensors, last.safetensors"), std::string::npos);
  EXPECT_EQ(error_of("last.safetensors"),
            at("last.safetensors") +
                ": expected arrays named like x_train and y_train, train_images and train_labels, "
                "or images and labels, found \"0.weight\"");
}

TEST_F(FolderArraysTest, NamesTestSamplesOfAnotherShape) {
  add("x_train.npy", npy_images(20));
  add("y_train.npy", npy_labels(20, 7));
  add("x_test.npy", test::npy_of({.shape = {10, 2}}, ByteVector(20)));
  add("y_test.npy", npy_labels(10, 7));
  EXPECT_EQ(error_of(), at("x_test.npy") + ": expected samples of 2x3 uint8, as in " +
                            at("x_train.npy") + ", found 2 uint8");
}

TEST_F(FolderArraysTest, NamesObjectsInAnArray) {
  auto objects = test::npy_of({.shape = {3}}, ByteVector(3));
  objects[21] = std::byte{'|'};
  objects[22] = std::byte{'O'};
  objects[23] = std::byte{'\''};
  objects[24] = std::byte{' '};
  add("x_train.npy", objects);
  add("y_train.npy", npy_labels(3, 3));
  EXPECT_NE(error_of().find("found \"|O\", Python objects"), std::string::npos) << error_of();
}

}  // namespace
}  // namespace millrace
