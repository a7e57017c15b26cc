#include "tools/console/stop_signals.h"

#include <gtest/gtest.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigaction is POSIX's
#include <unistd.h>

#include <chrono>
#include <thread>

namespace millrace {
namespace {

using First = StopSignals::First;

TEST(StopSignals, SetAFlagAndRememberTheFirst) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const StopSignals signals(First::kSetsFlag);
    EXPECT_FALSE(signals.flag().load());
    EXPECT_EQ(signals.received(), 0);
    ::raise(signal);
    EXPECT_TRUE(signals.flag().load());
    EXPECT_EQ(signals.received(), signal);
  }
}

TEST(StopSignals, HaveATextAndAStatus) {
  const StopSignals signals(First::kSetsFlag);
  ::raise(SIGTERM);
  EXPECT_EQ(signals.text(), "stopped by SIGTERM");
  EXPECT_EQ(signals.status(), 143);
}

TEST(StopSignals, GiveTheHandlersBack) {
  struct sigaction before {};
  struct sigaction after {};
  ::sigaction(SIGTERM, nullptr, &before);
  { const StopSignals signals(First::kSetsFlag); }
  ::sigaction(SIGTERM, nullptr, &after);
  EXPECT_EQ(before.sa_handler, after.sa_handler);
}

TEST(StopSignals, LeaveNohupAlone) {
  const auto before = ::signal(SIGHUP, SIG_IGN);
  const StopSignals signals(First::kSetsFlag);
  ::raise(SIGHUP);
  EXPECT_FALSE(signals.flag().load());
  ::signal(SIGHUP, before);
}

using StopSignalsDeathTest = ::testing::Test;

TEST(StopSignals, ThatComeTogetherAreOne) {
  const StopSignals signals(First::kSetsFlag);
  ::raise(SIGTERM);
  ::raise(SIGTERM);
  ::raise(SIGINT);
  EXPECT_TRUE(signals.flag().load());
  EXPECT_EQ(signals.received(), SIGTERM);
}

TEST(StopSignalsDeathTest, ASecondSignalASecondLaterEnds) {
  EXPECT_EXIT(
      {
        const StopSignals signals(First::kSetsFlag);
        ::raise(SIGINT);
        // What is tested is the time itself.
        std::this_thread::sleep_for(std::chrono::milliseconds(1100));
        ::raise(SIGTERM);
        ::_exit(0);
      },
      ::testing::KilledBySignal(SIGTERM), "");
}

TEST(StopSignalsDeathTest, EndAtOnceWhereThereIsNothingToSave) {
  EXPECT_EXIT(
      {
        const StopSignals signals(First::kEndsAtOnce, "trainer");
        ::raise(SIGTERM);
        ::_exit(0);
      },
      ::testing::ExitedWithCode(128 + SIGTERM),
      "^trainer: stopped by SIGTERM before there was anything to save\n$");
}

}  // namespace
}  // namespace millrace
