#include "compute/cpu/team_size.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>

namespace millrace::cpu {
namespace {

// Seconds of a unit by the number of members.
using Machine = std::function<double(std::uint32_t)>;

// What a run did.
struct Spent {
  std::map<std::uint32_t, double> seconds;  // by members
  double whole = 0.0;

  double share(std::uint32_t members) const {
    const auto found = seconds.find(members);
    return found == seconds.end() ? 0.0 : found->second / whole;
  }
};

Spent run(TeamSize& size, const Machine& machine, double seconds) {
  Spent spent;
  while (spent.whole < seconds) {
    const std::uint32_t members = size.members();
    // As chunks have it.
    const std::uint32_t units = std::clamp(size.units(), 1U, 100U);
    const double took = units * machine(members);
    size.ran(units, took);
    spent.seconds[members] += took;
    spent.whole += took;
  }
  return spent;
}

// Work of one member, shared out, and what each member costs in meetings.
Machine machine(double work, double meeting) {
  return [=](std::uint32_t members) { return work / members + meeting * (members - 1); };
}

TEST(TeamSize, IsAllWhereThereIsNothingToChoose) {
  TeamSize fixed(8, false);
  EXPECT_FALSE(fixed.choosing());
  EXPECT_EQ(run(fixed, machine(1e-6, 1e-3), 1.0).share(8), 1.0);
  EXPECT_EQ(fixed.units(), std::numeric_limits<std::uint32_t>::max());

  TeamSize alone(1, true);
  EXPECT_FALSE(alone.choosing());
  EXPECT_EQ(alone.members(), 1U);
  EXPECT_EQ(alone.units(), std::numeric_limits<std::uint32_t>::max());
}

TEST(TeamSize, FindsTheFastest) {
  // 16 µs of work: 16.0 with one, 9 with two, 7 with four, 9 with eight, 16 with sixteen.
  TeamSize size(16, true);
  run(size, machine(16e-6, 1e-6), 0.1);
  EXPECT_EQ(size.chosen(), 4U);
}

TEST(TeamSize, StartsWithAllAndKeepsThemWhereTheyAreTheFastest) {
  TeamSize size(64, true);
  EXPECT_EQ(size.chosen(), 64U);
  const Spent large = run(size, machine(0.1, 0.0), 1.0);
  EXPECT_EQ(size.chosen(), 64U);
  EXPECT_GT(large.share(64), 0.97);
  // Half of them were so much slower that nothing below was worth a try.
  EXPECT_EQ(large.share(16), 0.0);
}

TEST(TeamSize, TakesTheFewestOfThoseThatAreAsFast) {
  TeamSize size(8, true);
  run(
      size, [](std::uint32_t members) { return members >= 2 ? 20e-6 : 30e-6; }, 0.1);
  EXPECT_EQ(size.chosen(), 2U);
}

TEST(TeamSize, HalvesAnOddNumberToo) {
  TeamSize size(7, true);
  const Spent tried = run(
      size, [](std::uint32_t) { return 20e-6; }, 0.1);
  EXPECT_EQ(size.chosen(), 1U);
  EXPECT_GT(tried.share(7), 0.0);
  EXPECT_GT(tried.share(3), 0.0);
}

TEST(TeamSize, IsNotMisledByATurnThatWasDisturbed) {
  // Another process has a core for a millisecond, twice in a trial of some eleven.
  double clock = 0.0;
  TeamSize size(2, true);
  run(
      size,
      [&](std::uint32_t members) {
        const bool disturbed = (clock > 0.012 && clock < 0.013) || (clock > 0.017 && clock < 0.018);
        const double unit = members == 1 ? 14e-6 : disturbed ? 100e-6 : 10e-6;
        clock += unit;
        return unit;
      },
      0.2);
  EXPECT_EQ(size.chosen(), 2U);
}

TEST(TeamSize, NoticesThatTheMachineHasChanged) {
  TeamSize size(2, true);
  run(size, machine(100e-6, 0.0), 1.0);
  ASSERT_EQ(size.chosen(), 2U);
  run(size, machine(100e-6, 200e-6), 4.0);
  EXPECT_EQ(size.chosen(), 1U);
  run(size, machine(100e-6, 0.0), 4.0);
  EXPECT_EQ(size.chosen(), 2U);
}

TEST(TeamSize, TrialsTakeALittleOfALongRun) {
  for (const double work : {1e-6, 100e-6, 2e-3, 0.5}) {
    TeamSize size(2, true);
    run(size, machine(work, 0.0), std::max(1.0, 10.0 * work));
    ASSERT_EQ(size.chosen(), 2U);
    EXPECT_LT(run(size, machine(work, 0.0), std::max(10.0, 200.0 * work)).share(1), 0.01) << work;
  }
}

TEST(TeamSize, AsksForOneUnitOfUnknownLengthAndThenForAsManyAsFillItsTime) {
  TeamSize size(2, true);
  EXPECT_EQ(size.units(), 1U);
  size.ran(1, 1e-3);
  EXPECT_EQ(size.units(), 9U);  // of the first ten milliseconds
  size.ran(20, 20e-3);          // a trial begins
  EXPECT_EQ(size.units(), 1U);
  size.ran(0, 0.0);
  EXPECT_EQ(size.units(), 1U);
}

}  // namespace
}  // namespace millrace::cpu
