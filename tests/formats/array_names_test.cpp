#include "formats/array_names.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/files.h"

namespace millrace {
namespace {

using Names = std::vector<std::string>;

std::optional<ArrayPairs> pairs_of(const Names& names) { return find_array_pairs("a.npz", names); }

std::string error_of(const Names& names) {
  return test::data_error_of([&] { (void)pairs_of(names); });
}

TEST(ArrayNames, SayRoleAndSplit) {
  const auto says = [](std::string_view name, ArrayRole role, std::optional<DataSplit> split) {
    const auto parsed = parse_array_name(name);
    return parsed && parsed->role == role && parsed->split == split;
  };
  EXPECT_TRUE(says("x_train", ArrayRole::kSamples, DataSplit::kTrain));
  EXPECT_TRUE(says("X_Test", ArrayRole::kSamples, DataSplit::kTest));
  EXPECT_TRUE(says("train-images", ArrayRole::kSamples, DataSplit::kTrain));
  EXPECT_TRUE(says("val.labels", ArrayRole::kLabels, DataSplit::kValidation));
  EXPECT_TRUE(says("targets", ArrayRole::kLabels, std::nullopt));
  EXPECT_TRUE(says("target", ArrayRole::kLabels, std::nullopt)) << "as scikit-learn calls them";
  EXPECT_TRUE(says("train_label", ArrayRole::kLabels, DataSplit::kTrain));
  EXPECT_TRUE(says("arr_0", ArrayRole::kSamples, std::nullopt));
  EXPECT_TRUE(says("arr_1", ArrayRole::kLabels, std::nullopt));
  for (const auto* name : {"", "_", "x_", "_train", "train", "weights", "x_train_1", "arr_2",
                           "layer.0.weight", "images_x"}) {
    EXPECT_FALSE(parse_array_name(name)) << name;
  }
}

TEST(ArrayNames, ArePaired) {
  const auto keras = pairs_of({"x_test", "x_train", "y_train", "y_test", "info"});
  ASSERT_TRUE(keras);
  EXPECT_EQ(keras->train.samples, 1U);
  EXPECT_EQ(keras->train.labels, 2U);
  ASSERT_TRUE(keras->test);
  EXPECT_EQ(keras->test->samples, 0U);
  EXPECT_EQ(keras->test->labels, 3U);
  const auto plain = pairs_of({"labels", "images"});
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->train.samples, 1U);
  EXPECT_FALSE(plain->test);
  EXPECT_FALSE(pairs_of({"weight", "bias"}));
  EXPECT_FALSE(pairs_of({}));
}

TEST(ArrayNames, ValidationStandsForTestWhereThereIsNone) {
  const Names medmnist{"train_images", "val_images", "test_images",
                       "train_labels", "val_labels", "test_labels"};
  EXPECT_EQ(pairs_of(medmnist)->test->samples, 2U);
  EXPECT_EQ(pairs_of(medmnist)->left_out, (std::vector<std::size_t>{1, 4}));
  EXPECT_FALSE(pairs_of(medmnist)->validation);
  const auto own = find_array_pairs("a.npz", medmnist, true);
  EXPECT_EQ(own->test->samples, 2U);
  ASSERT_TRUE(own->validation);
  EXPECT_EQ(own->validation->labels, 4U);
  EXPECT_TRUE(own->left_out.empty());
  const Names without_test{"x_train", "y_train", "x_val", "y_val"};
  EXPECT_FALSE(find_array_pairs("a.npz", without_test, true)->validation);
  EXPECT_EQ(pairs_of({"x_train", "y_train", "x"})->left_out, std::vector<std::size_t>{2});
  EXPECT_TRUE(pairs_of({"x_train", "y_train", "x_val", "y_val"})->left_out.empty());
  EXPECT_EQ(pairs_of({"x_train", "y_train", "x_val", "y_val"})->test->labels, 3U);
}

TEST(ArrayNames, NameWhatIsMissingOrTwice) {
  EXPECT_EQ(error_of({"x_train"}),
            "a.npz: expected an array of train labels beside \"x_train\", found none");
  EXPECT_EQ(error_of({"x_train", "y_train", "test_labels"}),
            "a.npz: expected an array of test samples beside \"test_labels\", found none");
  EXPECT_EQ(error_of({"x_train", "train_images"}),
            "a.npz: expected one array of train samples (those that are meant, in a file without "
            "the other), found \"x_train\" and \"train_images\"");
  EXPECT_EQ(error_of({"x", "data"}),
            "a.npz: expected one array of samples (those that are meant, in a file without the "
            "other), found \"x\" and \"data\"");
  EXPECT_EQ(error_of({"x_test", "y_test"}),
            "a.npz: expected arrays to train on (x_train, y_train), found a test set only");
}

}  // namespace
}  // namespace millrace
