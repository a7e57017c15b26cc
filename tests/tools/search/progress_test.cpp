#include "tools/search/progress.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace millrace {
namespace {

Trial trial(std::uint64_t number, double score) {
  TrialRun run;
  run.score = score;
  return {number, {"0.1"}, {run}};
}

class Told : public testing::Test {
 protected:
  std::string said(const std::function<void(SearchProgress&)>& what) {
    testing::internal::CaptureStdout();
    Console console("trainer search", false);
    SearchProgress progress(console, axes_, "val_acc");
    what(progress);
    return testing::internal::GetCapturedStdout();
  }
  const std::vector<Axis> axes_{parse_axis("lr=0.1/0.3")};
};

TEST_F(Told, MarksTheBestSoFar) {
  EXPECT_EQ(said([](SearchProgress& progress) {
              progress.trial_done(trial(2, 0.5), true);
              progress.trial_done(trial(1, 0.75), false);  // of the journal
              progress.trial_done(trial(3, 0.625), true);
              progress.trial_done(trial(4, 0.75), true);  // no better
              progress.trial_done(trial(5, 1.0), true);
              Trial diverged = trial(6, 0.0);
              diverged.runs[0].diverged = "nan";
              progress.trial_done(diverged, true);
            }),
            "Trial 2: val_acc 0.5000 *  lr=0.1\n"
            "Trial 3: val_acc 0.6250  lr=0.1\n"
            "Trial 4: val_acc 0.7500  lr=0.1\n"
            "Trial 5: val_acc 1.0000 *  lr=0.1\n"
            "Trial 6: diverged  lr=0.1\n");
}

TEST_F(Told, OfALaterRungIsBetterThanOfAnEarlierOne) {
  EXPECT_EQ(said([](SearchProgress& progress) {
              progress.trial_done(trial(1, 0.9), true);
              Trial later = trial(2, 0.8);
              later.rung = 1;
              progress.trial_done(later, true);
            }),
            "Trial 1: val_acc 0.9000 *  lr=0.1\nTrial 2: val_acc 0.8000 *  lr=0.1\n");
}

TEST_F(Told, SaysAThingOnceWhoeverSaysIt) {
  testing::internal::CaptureStderr();
  said([](SearchProgress& progress) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        progress.notice("no GPU");
        progress.epochs_done(1);
        progress.look();
      });
    }
    for (std::thread& thread : threads) thread.join();
  });
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "trainer search: note: no GPU\n");
}

}  // namespace
}  // namespace millrace
