#include "train/schedule.h"

#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace millrace {
namespace {

using Kind = ScheduleSpec::Kind;

TEST(Schedule, FollowsPyTorchStepByStep) {
  std::ifstream file("tests/golden/schedules.json");  // tests run in the project's root
  const auto rates = nlohmann::json::parse(file).at("rates");
  const std::map<std::string, Kind> kinds{{"constant", Kind::kConstant},
                                          {"step", Kind::kStep},
                                          {"cosine", Kind::kCosine},
                                          {"one-cycle", Kind::kOneCycle}};
  ASSERT_EQ(rates.size(), kinds.size());
  for (const auto& [name, kind] : kinds) {
    const Schedule schedule({.kind = kind, .step_epochs = 2}, 0.5F, 8, 5);
    const auto expected = rates.at(name).get<std::vector<double>>();
    ASSERT_EQ(expected.size(), 40U);
    for (std::size_t step = 0; step < expected.size(); ++step) {
      // PyTorch works out a cosine from the rate before, which adds up its rounding.
      EXPECT_NEAR(double{schedule.at(step)}, expected[step], 1e-7) << name << ", step " << step;
    }
  }
}

TEST(Schedule, FollowsPyTorchInRunsOfAFewSteps) {
  std::ifstream file("tests/golden/schedules.json");
  const auto runs = nlohmann::json::parse(file).at("short");
  ASSERT_EQ(runs.size(), 14U);
  for (const auto& run : runs) {
    const auto kind = schedule_called(run.at("schedule").get<std::string>());
    const auto expected = run.at("rates").get<std::vector<double>>();
    const Schedule schedule({.kind = kind.value()}, 0.5F, expected.size(), 1);
    for (std::size_t step = 0; step < expected.size(); ++step) {
      EXPECT_NEAR(double{schedule.at(step)}, expected[step], 1e-7)
          << run.at("schedule") << " of " << expected.size() << " steps, step " << step;
    }
  }
}

TEST(Schedule, RisesInALineAndLeavesTheRestToTheSchedule) {
  const Schedule warm({.kind = Kind::kCosine, .warmup_epochs = 0.5}, 0.5F, 8, 5);
  for (std::uint64_t step = 0; step < 4; ++step) {
    EXPECT_FLOAT_EQ(warm.at(step), 0.5F * static_cast<float>(step + 1) / 5.0F);
  }
  EXPECT_FLOAT_EQ(warm.at(4), 0.5F);
  EXPECT_FLOAT_EQ(warm.at(4 + 18), 0.25F);
  EXPECT_GT(warm.at(39), 0.0F);
  EXPECT_FLOAT_EQ(warm.at(40), 0.0F);
}

TEST(Schedule, StaysFiniteAtTheEdges) {
  for (const Kind kind : {Kind::kConstant, Kind::kStep, Kind::kCosine, Kind::kOneCycle}) {
    for (const std::uint64_t steps : {1U, 2U, 3U, 4U, 10U}) {
      const Schedule schedule({.kind = kind}, 0.5F, steps, 1);
      for (std::uint64_t step = 0; step < 2 * steps; ++step) {
        EXPECT_GE(schedule.at(step), 0.0F) << steps;
        EXPECT_LE(schedule.at(step), 0.5F) << steps;
      }
    }
    const Schedule none({.kind = kind}, 0.5F, 5, 0);
    EXPECT_GE(none.at(0), 0.0F);
  }
}

TEST(Schedule, SaysWhetherAllStepsAreAlike) {
  EXPECT_TRUE(Schedule({}, 0.5F, 8, 5).constant());
  EXPECT_FALSE(Schedule({.warmup_epochs = 1.0}, 0.5F, 8, 5).constant());
  EXPECT_FALSE(Schedule({.kind = Kind::kStep}, 0.5F, 8, 5).constant());
  EXPECT_TRUE(depends_on_length({.kind = Kind::kOneCycle}));
  EXPECT_FALSE(depends_on_length({.kind = Kind::kStep}));
}

TEST(Schedule, RefusesWhatCannotBe) {
  const auto refused = [](const ScheduleSpec& spec) {
    EXPECT_THROW(Schedule(spec, 0.5F, 8, 5), std::invalid_argument);
  };
  refused({.warmup_epochs = -1.0});
  refused({.warmup_epochs = 5.0});
  refused({.warmup_epochs = std::numeric_limits<double>::infinity()});
  refused({.step_epochs = 0});
  refused({.gamma = std::numeric_limits<double>::quiet_NaN()});
}

TEST(Schedule, SaysInStepsWhatAWarmupLeavesNoneOf) {
  const auto refusal = [](double warmup, std::uint64_t steps, std::uint64_t epochs) {
    try {
      Schedule({.warmup_epochs = warmup}, 0.5F, steps, epochs);
    } catch (const std::invalid_argument& error) {
      return std::string(error.what());
    }
    return std::string("taken");
  };
  EXPECT_EQ(refusal(0.5, 1, 1),
            "--warmup: expected fewer steps than the 1 of the run, found 1 (0.5 epochs of 1 step)");
  EXPECT_EQ(refusal(1, 391, 1),
            "--warmup: expected fewer steps than the 391 of the run, found 391 (1 epoch of 391 "
            "steps)");
  EXPECT_EQ(refusal(0.4, 1, 1), "taken") << "no step";
  EXPECT_EQ(refusal(0.5, 1, 2), "taken");
}

}  // namespace
}  // namespace millrace
