#include "formats/foreign_names.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(ForeignNames, SayWhatIsNotReadAndWhatToDo) {
  EXPECT_EQ(foreign_text("train-00000-of-00001.arrow"),
            "Arrow, which is not read: write it as .parquet or .csv, or pictures as a folder for "
            "each class");
  EXPECT_EQ(foreign_text("MNIST.PT"),
            "a file of PyTorch, which is not read: write its arrays as .npz (x_train, y_train, "
            "x_test, y_test)");
  EXPECT_EQ(foreign_text("batches.meta"),
            "CIFAR's version for Python, which is not read: the binary version is read");
  EXPECT_TRUE(foreign_text("dataset.jsonl.gz"));
}

TEST(ForeignNames, SayNothingOfOthers) {
  for (const auto* name : {"", "data_batch_1", "a.csv", "x_train.npy", "parquet", "cat.0.jpg"}) {
    EXPECT_FALSE(foreign_text(name)) << name;
  }
}

}  // namespace
}  // namespace millrace
