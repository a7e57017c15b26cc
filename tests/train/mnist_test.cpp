#include <gtest/gtest.h>

#include "formats/folder.h"
#include "tests/support/files.h"
#include "tests/support/training.h"

namespace millrace {
namespace {

TEST(TrainMnist, AnEpochLearnsMostDigitsWhereverTheyLie) {
  const auto folder = test::mnist_folder();
  if (folder.empty()) GTEST_SKIP() << "no MNIST: set MILLRACE_MNIST_DIR";
  const auto data = open_folder(folder);
  RunSpec spec;
  spec.epochs = 1;
  const RunResult resident = test::run(spec, data.train, data.test);
  EXPECT_GT(*resident.test_acc, 0.88);
  EXPECT_EQ(resident.train_loader.samples, 50'000U);
  spec.residency = Residency::kHost;
  EXPECT_EQ(test::outcome(test::run(spec, data.train, data.test)), test::outcome(resident));
}

}  // namespace
}  // namespace millrace
