// SmallTraining with all of a device's threads: under ThreadSanitizer a meeting that is missing
// shows as a race, whatever order the threads happen to take.

#include <gtest/gtest.h>

#include <cstddef>
#include <tuple>

#include "compute/cuda/small_training.h"
#include "tests/compute/cuda/arrays.h"
#include "tests/compute/cuda/emulated_device.h"
#include "tests/compute/cuda/small_problem.h"

namespace millrace::cuda {
namespace {

TEST(SmallTrainingKernel, ThreadsMeetWhereTheyMust) {
  for (const auto& [features, hidden, batch] :
       {std::tuple{32U, 32U, 12U}, std::tuple{48U, 16U, 7U},
        std::tuple{16U, 16U, 40U}}) {  // several rows for each warp
    test::Arrays expected;
    const SmallTraining kernel = test::small_problem(features, hidden, 16, batch, expected);
    test::emulate(kernel);
    EXPECT_NE(kernel.losses[0], 0.0F);
    for (int repeat = 0; repeat < 3; ++repeat) {  // each in an order of its own
      test::Arrays found;
      test::emulate(test::small_problem(features, hidden, 16, batch, found));
      for (std::size_t a = 0; a < found.all().size(); ++a) {
        EXPECT_TRUE(found.all()[a].bytes == expected.all()[a].bytes)
            << features << " features, array " << a;
      }
    }
  }
}

}  // namespace
}  // namespace millrace::cuda
