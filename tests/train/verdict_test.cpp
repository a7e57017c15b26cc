#include "train/verdict.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

LoaderStats loader(double starved, double fill_busy = 1.0, double fill_blocked = 0.0) {
  LoaderStats stats;
  stats.chunks = 10;
  stats.consumer.starved = starved;
  stats.fill.busy = fill_busy;
  stats.fill.blocked = fill_blocked;
  return stats;
}

EngineStats engine(double busy, double waiting) {
  EngineStats stats;
  stats.busy = busy;
  stats.waiting = waiting;
  return stats;
}

TEST(Verdict, AFedEngineIsComputeBound) {
  const auto line = verdict(loader(0.2), engine(9.8, 0.1), 10.0);
  EXPECT_TRUE(line.starts_with("compute-bound: ")) << line;
  EXPECT_NE(line.find(" 2 %"), std::string::npos) << line;
}

TEST(Verdict, AStarvedEngineIsLoaderBound) {
  const auto line = verdict(loader(4.0), engine(6.0, 3.0), 10.0);
  EXPECT_TRUE(line.starts_with("loader-bound: ")) << line;
  EXPECT_NE(line.find(" 40 %"), std::string::npos) << line;
  EXPECT_NE(line.find("more workers"), std::string::npos) << line;
}

TEST(Verdict, AnUnevenSupplyAsksForSlots) {
  const auto line = verdict(loader(4.0, 1.0, 2.0), engine(6.0, 0.0), 10.0);
  EXPECT_NE(line.find("more slots"), std::string::npos) << line;
}

TEST(Verdict, SaysThatFewerThreadsComputedThanCould) {
  EngineStats stats = engine(10.0, 0.0);
  stats.choices = 8;
  stats.chosen = 2;
  EXPECT_EQ(verdict(loader(0.0), stats, 10.0),
            "compute-bound: the engine waited for samples 0 % of the training time; 2 of 8 threads "
            "computed, which was faster than all");
  stats.chosen = 8;
  EXPECT_EQ(verdict(loader(0.0), stats, 10.0),
            "compute-bound: the engine waited for samples 0 % of the training time");
}

TEST(Verdict, DoesNotAdviseFewerThreadsWhereTheirNumberWasChosen) {
  EngineStats stats = engine(10.0, 3.0);
  EXPECT_NE(verdict(loader(0.0), stats, 10.0).find("fewer threads, "), std::string::npos);
  stats.choices = 8;
  stats.chosen = 2;
  EXPECT_EQ(verdict(loader(0.0), stats, 10.0),
            "imbalanced: the engine's threads waited for each other 30 % of its time; a larger "
            "batch or a less busy machine would lower that; 2 of 8 threads computed, which was "
            "faster than all");
}

TEST(Verdict, ThreadsThatWaitForEachOtherAreTold) {
  const auto line = verdict(loader(0.0), engine(10.0, 3.0), 10.0);
  EXPECT_TRUE(line.starts_with("imbalanced: ")) << line;
  EXPECT_NE(line.find(" 30 %"), std::string::npos) << line;
}

TEST(Verdict, ADeviceTellsItsCopiesAndItsIdleTime) {
  EngineStats device = engine(9.0, 0.0);
  device.idle = 1.0;
  device.copying = 4.0;
  device.hidden = 3.8;
  EXPECT_EQ(verdict(loader(0.2), device, 10.0),
            "compute-bound: 95 % of copy time hidden behind compute, device idle 10 % of the time");
  device.copying = 0.4;  // lists of indices
  device.hidden = 0.1;
  EXPECT_EQ(verdict(loader(0.2), device, 10.0), "compute-bound: device idle 10 % of the time");
  device = {5.0, 5.0, 0.0, 6.0, 1.5};
  const auto line = verdict(loader(0.2), device, 10.0);
  EXPECT_TRUE(line.starts_with("copy-bound: 25 % of copy time hidden")) << line;
  EXPECT_NE(line.find("device idle 50 %"), std::string::npos) << line;
  EXPECT_TRUE(verdict(loader(4.0), device, 10.0).starts_with("loader-bound: "));
}

TEST(Verdict, SharesStayWithinTheWhole) {
  const auto line = verdict(loader(50.0), engine(1.0, 0.0), 10.0);
  EXPECT_NE(line.find(" 100 %"), std::string::npos) << line;
}

TEST(Verdict, WithoutTrainingThereIsNone) {
  EXPECT_EQ(verdict({}, {}, 0.0), "nothing was trained");
}

}  // namespace
}  // namespace millrace
