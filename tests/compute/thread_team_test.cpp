#include "compute/cpu/thread_team.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "compute/engine.h"
#include "tests/support/limits.h"

namespace millrace::cpu {
namespace {

class Team : public testing::TestWithParam<std::uint32_t> {};

TEST_P(Team, EveryMemberRunsOnceAndTheCallerIsMemberZero) {
  ThreadTeam team(GetParam());
  ASSERT_EQ(team.size(), GetParam());
  std::vector<int> calls(team.size());
  std::thread::id zero;
  for (int run = 0; run < 500; ++run) {
    team.run(team.size(), [&](std::uint32_t member) {
      ++calls[member];  // plain: run() must order it with what follows
      if (member == 0) zero = std::this_thread::get_id();
    });
  }
  EXPECT_EQ(calls, std::vector<int>(team.size(), 500));
  EXPECT_EQ(zero, std::this_thread::get_id());
}

TEST_P(Team, EachPieceIsTakenOnceAndPhasesAreOrdered) {
  constexpr std::uint32_t kPieces = 37;
  ThreadTeam team(GetParam());
  WorkShare share(team.size());
  // Plain memory: a piece read before its phase ended is a wrong sum here and a race under
  // ThreadSanitizer.
  std::vector<std::uint64_t> values(kPieces, 1);
  std::vector<std::uint64_t> next(kPieces);
  share.reset(0, kPieces);
  std::uint32_t lasts = 0;
  team.run(team.size(), [&](std::uint32_t member) {
    for (std::uint32_t tag = 0; tag != 200; tag = share.phase().load(std::memory_order_acquire)) {
      const auto work = [&](std::uint32_t p) {
        if (tag % 2 == 0) {
          next[p] += values[(p + 1) % kPieces] + 1;
        } else {
          values[p] = next[(p + 5) % kPieces];
        }
      };
      if (share.take(member, tag, work)) {
        ++lasts;
        share.reset(tag + 1, kPieces);
        team.publish(share.phase(), tag + 1);
      } else {
        team.wait_while(share.phase(), tag);
      }
    }
  });
  EXPECT_EQ(lasts, 200U);

  std::vector<std::uint64_t> plain(kPieces, 1);
  std::vector<std::uint64_t> sums(kPieces);
  for (int round = 0; round < 100; ++round) {
    for (std::uint32_t p = 0; p < kPieces; ++p) sums[p] += plain[(p + 1) % kPieces] + 1;
    for (std::uint32_t p = 0; p < kPieces; ++p) plain[p] = sums[(p + 5) % kPieces];
  }
  EXPECT_EQ(values, plain);
}

TEST_P(Team, AnyNumberOfPiecesIsSharedOut) {
  ThreadTeam team(GetParam());
  WorkShare share(team.size());
  for (std::uint32_t pieces = 0; pieces < 20; ++pieces) {
    share.reset(pieces, pieces);
    std::atomic<int> lasts{0};
    std::vector<std::atomic<int>> taken(pieces);
    team.run(team.size(), [&](std::uint32_t member) {
      if (share.take(member, pieces, [&](std::uint32_t p) { ++taken[p]; })) ++lasts;
    });
    EXPECT_EQ(lasts, pieces == 0 ? 0 : 1);
    for (std::uint32_t p = 0; p < pieces; ++p) EXPECT_EQ(taken[p], 1) << p << " of " << pieces;
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, Team, testing::Values(1U, 2U, 3U, 5U, 8U));

TEST(ThreadTeam, SomeOfItRunAndTheOthersDoNot) {
  constexpr std::uint32_t kMembers = 6;
  ThreadTeam team(kMembers);
  std::vector<int> calls(kMembers);
  std::vector<int> expected(kMembers);
  for (std::uint32_t run = 0; run < 600; ++run) {
    const std::uint32_t members = 1 + run * run % kMembers;
    if (run % 3 == 0) team.wake(members);  // which is no call of theirs
    team.run(members, [&](std::uint32_t member) { ++calls[member]; });
    for (std::uint32_t m = 0; m < members; ++m) ++expected[m];
    ASSERT_EQ(calls, expected) << "run " << run << " of " << members;
  }
}

TEST(ThreadTeam, WaitsForAMemberThatComesLate) {
  ThreadTeam team(3);
  for (std::uint32_t late = 0; late < 3; ++late) {
    std::atomic<std::uint32_t> others{0};
    int came = 0;
    team.run(team.size(), [&](std::uint32_t member) {
      if (member == late) {
        while (others.load() < 2) std::this_thread::yield();
        came = 1;
      } else {
        ++others;
      }
    });
    EXPECT_EQ(came, 1);
  }
}

TEST(WorkShare, TheOthersTakeWhatASlowMemberHasNotBegunButItsLast) {
  ThreadTeam team(2);
  WorkShare share(2);
  constexpr std::uint32_t kPieces = 10;
  share.reset(7, kPieces);
  std::atomic<std::uint32_t> done{0};
  std::vector<std::uint32_t> by(kPieces, 2);
  team.run(team.size(), [&](std::uint32_t member) {
    share.take(member, 7, [&](std::uint32_t p) {
      by[p] = member;
      // Member 1's first piece lasts until all others but its last are done: without stealing this
      // never ends.
      if (member == 1 && p != kPieces - 1) {
        while (done.load() < kPieces - 2) std::this_thread::yield();
      }
      ++done;
    });
  });
  EXPECT_EQ(done, kPieces);
  const auto own = std::count(by.begin(), by.end(), 1U);
  // None, if member 0 was done before it came.
  EXPECT_TRUE(own == 0 || (own == 2 && by.back() == 1U)) << own;
}

TEST(WorkShare, AMemberOnItsOwnTakesItsOwnPiecesFirstEachTime) {
  WorkShare share(3);
  std::vector<std::uint32_t> first;
  for (std::uint32_t time = 0; time < 2; ++time) {
    share.reset(3 + time, 9);
    std::vector<std::uint32_t> order;
    share.take(1, 3 + time, [&](std::uint32_t p) { order.push_back(p); });
    if (time == 0) first = order;
    EXPECT_EQ(order, first);
    EXPECT_EQ(order.size(), 9U);
    EXPECT_NE(order.front(), 0U);  // another member's
  }
}

TEST(WorkShare, PhasesAreSharedAmongAsManyAsTheyAreSaidToBe) {
  WorkShare share(4);
  std::uint32_t tag = 0;
  for (const std::uint32_t members : {4U, 1U, 3U, 2U, 4U}) {
    share.share_among(members);
    share.reset(++tag, 12);
    // A member's own pieces, and then, for nobody else comes, what the others leave it.
    std::vector<std::uint32_t> pieces;
    EXPECT_TRUE(
        share.take(members - 1, tag, [&](std::uint32_t piece) { pieces.push_back(piece); }));
    ASSERT_EQ(pieces.size(), 12U);
    EXPECT_EQ(pieces.front(), 12 * (members - 1) / members);
    std::ranges::sort(pieces);
    for (std::uint32_t p = 0; p < 12; ++p) EXPECT_EQ(pieces[p], p);
  }
}

TEST(WorkShare, AMemberThatIsLateForAPhaseGetsNothingOfTheNext) {
  WorkShare share(2);
  share.reset(1, 4);
  share.take(0, 1, [](std::uint32_t) {});
  share.reset(2, 4);
  EXPECT_FALSE(share.take(1, 1, [](std::uint32_t) { ADD_FAILURE() << "a piece of phase 2"; }));
  int taken = 0;
  EXPECT_TRUE(share.take(1, 2, [&](std::uint32_t) { ++taken; }));
  EXPECT_EQ(taken, 4);
}

// The threads that were there already had been left to std::terminate().
TEST(TeamOfRefusedThreads, IsAnErrorThatSaysSo) {
  const test::TwoMoreThreads limit;
  try {
    const ThreadTeam team(8);
    FAIL() << "eight threads";
  } catch (const DeviceError& error) {
    // The fourth, or the third where a sanitizer takes of the memory.
    std::string text = error.what();
    const auto number = text.find_first_of("34");
    ASSERT_NE(number, std::string::npos) << text;
    text[number] = 'N';
    EXPECT_EQ(text, "cannot start computing thread N of 8: Resource temporarily unavailable");
  }
}

}  // namespace
}  // namespace millrace::cpu
