#include "compute/stage.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace millrace {
namespace {

using namespace std::chrono_literals;

class Log final : public StageListener {
 public:
  Log(std::string name, std::vector<std::string>& lines) : name_(std::move(name)), lines_(lines) {}
  void begin(Stage stage, std::uint64_t number) noexcept override {
    lines_.push_back(name_ + " begins " + name_of(stage) +
                     (number == kNoNumber ? "" : " " + std::to_string(number)));
  }
  void end(Stage stage) noexcept override { lines_.push_back(name_ + " ends " + name_of(stage)); }
  void on_device(const char* queue, Stage stage, Clock::time_point begin,
                 Clock::time_point end) noexcept override {
    lines_.push_back(name_ + " " + queue + " " + name_of(stage) + " " +
                     std::to_string((end - begin) / 1ns));
  }

 private:
  const std::string name_;
  std::vector<std::string>& lines_;
};

TEST(Stage, EachHasANameOfItsOwn) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kStages; ++i) {
    names.emplace_back(name_of(static_cast<Stage>(i)));
    EXPECT_FALSE(names.back().empty());
  }
  EXPECT_EQ(names.front(), "load");
  EXPECT_EQ(names.back(), "checkpoint");
}

TEST(Stage, ListenersHearOfWhatBeginsWhileTheyListen) {
  std::vector<std::string> lines;
  Log a("a", lines);
  Log b("b", lines);
  { const StageSpan nobody(Stage::kLoad); }
  {
    const StageListening first(a);
    const StageSpan epoch(Stage::kEpoch, 7);
    {
      const StageListening second(b);
      const StageSpan copy(Stage::kCopy);
      tell_device_stage("copy", Stage::kCopy, {}, StageListener::Clock::time_point(5ns));
    }
    // b did not hear the epoch begin, so it must not hear it end.
    lines.emplace_back("-");
  }
  tell_device_stage("copy", Stage::kCopy, {}, {});
  EXPECT_EQ(lines, (std::vector<std::string>{"a begins epoch 7", "b begins copy", "a begins copy",
                                             "b copy copy 5", "a copy copy 5", "b ends copy",
                                             "a ends copy", "-", "a ends epoch"}));
}

}  // namespace
}  // namespace millrace
