#include "tools/trace/stage_recorder.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <thread>
#include <vector>

namespace millrace {
namespace {

using namespace std::chrono_literals;

TEST(StageRecorder, KeepsNestedStagesOfEachThread) {
  StageRecorder recorder;
  const StageListening listening(recorder);
  const auto work = [] {
    pthread_setname_np(pthread_self(), "worker 5");
    const StageSpan outer(Stage::kEpoch, 3);
    const StageSpan inner(Stage::kGather);
  };
  std::thread(work).join();
  { const StageSpan here(Stage::kLoad); }
  std::thread(work).join();

  const auto tracks = recorder.tracks();
  ASSERT_EQ(tracks.size(), 3U);
  EXPECT_EQ(tracks[0].name, "worker 5");
  EXPECT_EQ(tracks[1].name, "main");
  EXPECT_NE(tracks[0].id, tracks[1].id);
  for (const auto& track : {tracks[0], tracks[2]}) {
    EXPECT_FALSE(track.device);
    ASSERT_EQ(track.events.size(), 2U);
    const auto& [inner, outer] = std::tie(track.events[0], track.events[1]);
    EXPECT_EQ(inner.stage, Stage::kGather);
    EXPECT_EQ(inner.number, StageListener::kNoNumber);
    EXPECT_EQ(outer.stage, Stage::kEpoch);
    EXPECT_EQ(outer.number, 3U);
    EXPECT_LE(outer.begin_ns, inner.begin_ns);
    EXPECT_LE(inner.begin_ns, inner.end_ns);
    EXPECT_LE(inner.end_ns, outer.end_ns);
  }
  EXPECT_LE(tracks[0].events[1].end_ns, tracks[1].events[0].begin_ns);
  EXPECT_EQ(recorder.dropped(), 0U);
}

TEST(StageRecorder, TwoInTurnDoNotMixThreads) {
  for (int i = 0; i < 3; ++i) {
    StageRecorder recorder;
    const StageListening listening(recorder);
    { const StageSpan span(Stage::kCopy); }
    ASSERT_EQ(recorder.tracks().size(), 1U);
    EXPECT_EQ(recorder.tracks()[0].events.size(), 1U);
  }
}

TEST(StageRecorder, KeepsNoMoreThanItsMostAndCountsTheRest) {
  StageRecorder recorder(1500);
  const StageListening listening(recorder);
  for (std::uint64_t i = 0; i < 2000; ++i) const StageSpan span(Stage::kGather, i);
  const auto tracks = recorder.tracks();
  ASSERT_EQ(tracks[0].events.size(), 1500U);
  for (std::uint64_t i = 0; i < 1500; ++i) ASSERT_EQ(tracks[0].events[i].number, i);
  EXPECT_EQ(recorder.dropped(), 500U);
}

void nest(int depth) {
  const StageSpan span(Stage::kCompute);
  if (depth > 1) nest(depth - 1);
}

TEST(StageRecorder, StagesDeeperThanItLooksAreCountedAndHarmNothing) {
  StageRecorder recorder;
  const StageListening listening(recorder);
  nest(20);
  nest(1);
  EXPECT_EQ(recorder.tracks()[0].events.size() + recorder.dropped(), 21U);
  EXPECT_GT(recorder.dropped(), 0U);
}

TEST(StageRecorder, KeepsQueuesOfADevice) {
  StageRecorder recorder;
  const StageListening listening(recorder);
  const auto start = StageListener::Clock::now();
  tell_device_stage("copy", Stage::kCopy, start + 1us, start + 3us);
  tell_device_stage("compute", Stage::kCompute, start + 3us, start + 9us);
  tell_device_stage("copy", Stage::kCopy, start + 4us, start + 5us);
  const auto tracks = recorder.tracks();
  ASSERT_EQ(tracks.size(), 2U);
  EXPECT_TRUE(tracks[0].device);
  EXPECT_EQ(tracks[0].name, "copy");
  ASSERT_EQ(tracks[0].events.size(), 2U);
  EXPECT_EQ(tracks[0].events[0].end_ns - tracks[0].events[0].begin_ns, 2000U);
  EXPECT_EQ(tracks[0].events[1].begin_ns - tracks[0].events[0].begin_ns, 3000U);
  EXPECT_EQ(tracks[1].events[0].end_ns - tracks[1].events[0].begin_ns, 6000U);
}

TEST(StageRecorder, IsReadWhileOthersRecord) {
  StageRecorder recorder;
  const StageListening listening(recorder);
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (std::uint64_t n = 0; !stop.load(); ++n) const StageSpan span(Stage::kGather, n);
    });
  }
  for (int i = 0; i < 20; ++i) {
    for (const auto& track : recorder.tracks()) {
      for (std::uint64_t n = 0; n < track.events.size(); ++n) {
        ASSERT_EQ(track.events[n].number, n);
        ASSERT_LE(track.events[n].begin_ns, track.events[n].end_ns);
      }
    }
  }
  stop = true;
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace millrace
