#include "tools/trainer/metrics_observer.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "formats/error.h"
#include "tests/support/files.h"

namespace millrace {
namespace {

class MetricsObserverTest : public ::testing::Test {
 protected:
  // A run that trains epochs [first, end), and ends unless it is killed.
  void run(bool resumed, std::uint64_t first, std::uint64_t end, bool killed = false) {
    MetricsObserver observer(path_, resumed, console_);
    run_in(observer, first, end, killed);
  }
  static void run_in(MetricsObserver& observer, std::uint64_t first, std::uint64_t end,
                     bool killed = false) {
    RunInfo info;
    info.first_epoch = first;
    observer.on_start(info);
    for (std::uint64_t e = first; e < end; ++e) {
      EpochResult epoch;
      epoch.epoch = e;
      observer.on_epoch(epoch);
    }
    if (!killed) observer.on_finish({});
  }
  // "0 1 end" of lines without a seed, "7:0 7:1 7:end all" of those with.
  std::string told() const {
    std::ifstream file(path_);
    std::string all;
    for (std::string text; std::getline(file, text);) {
      const auto line = nlohmann::json::parse(text);
      if (!all.empty()) all += ' ';
      if (line.contains("seed")) all += line["seed"].dump() + ':';
      all += line.contains("repeat")    ? "all"
             : line.contains("summary") ? "end"
             : line.contains("epoch")   ? line["epoch"].dump()
                                        : "?";
    }
    return all;
  }
  test::TempFolder folder_;
  std::filesystem::path path_ = folder_ / "m.jsonl";
  Console console_{"test", true};
};

TEST_F(MetricsObserverTest, ANewRunBeginsAnew) {
  run(false, 0, 3);
  EXPECT_EQ(told(), "0 1 2 end");
  run(false, 0, 2, true);
  EXPECT_EQ(told(), "0 1");
}

TEST_F(MetricsObserverTest, AResumedRunGoesOnFromWhatItsCheckpointKnows) {
  run(false, 0, 3, true);
  run(true, 2, 4, true);  // the checkpoint of epoch 2 was not there yet
  EXPECT_EQ(told(), "0 1 2 3");
  run(true, 0, 2);  // there was none at all
  EXPECT_EQ(told(), "0 1 end");
  run(true, 2, 2);  // it had ended
  EXPECT_EQ(told(), "0 1 end");
  run(true, 2, 3, true);
  EXPECT_EQ(told(), "0 1 2");
}

TEST_F(MetricsObserverTest, LinesOfOthersStay) {
  std::ofstream(path_) << "{\"epoch\":\"last\"}\n{\"note\":1}\n{\"seed\":1,\"epoch\":5}\n";
  run(true, 3, 4);
  EXPECT_EQ(told(), "\"last\" ? 1:5 3 end");
}

TEST_F(MetricsObserverTest, AFileOfOtherLinesStaysAsItIs) {
  for (const bool resumed : {false, true}) {
    std::ofstream(path_) << "{\"note\":1}\n";
    EXPECT_THROW(run(resumed, 0, 1), DataError);
    EXPECT_EQ(told(), "?");
  }
}

TEST_F(MetricsObserverTest, EachSeedHasItsOwnLines) {
  std::optional<MetricsObserver> first(std::in_place, path_, false, console_);
  first->set_run("seed", 7);
  run_in(*first, 0, 2);
  first->set_run("seed", 8);
  run_in(*first, 0, 2);
  first->write_last({{"repeat", 2}, {"seeds", nlohmann::ordered_json::array()}});
  EXPECT_EQ(told(), "7:0 7:1 7:end 8:0 8:1 8:end all");
  first.reset();  // its process has ended
  MetricsObserver again(path_, true, console_);
  again.set_run("seed", 7);
  run_in(again, 2, 2);
  EXPECT_EQ(told(), "7:0 7:1 8:0 8:1 8:end 7:end");
  again.set_run("seed", 8);
  run_in(again, 1, 3);
  EXPECT_EQ(told(), "7:0 7:1 8:0 7:end 8:1 8:2 8:end");
}

TEST_F(MetricsObserverTest, EachFoldHasItsOwnLines) {
  {
    MetricsObserver first(path_, false, console_);
    first.set_run("fold", 1);
    run_in(first, 0, 2);
    first.set_run("fold", 2);
    run_in(first, 0, 1);
    first.write_last({{"repeat", 2}, {"folds", nlohmann::ordered_json::array()}});
  }
  MetricsObserver again(path_, true, console_);
  again.set_run("fold", 2);
  run_in(again, 1, 1);
  std::ifstream file(path_);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    lines.push_back(line.substr(0, line.find(',', line.find(',') + 1)));
  }
  EXPECT_EQ(lines,
            (std::vector<std::string>{R"({"fold":1,"epoch":0)", R"({"fold":1,"epoch":1)",
                                      R"({"fold":1,"summary":true)", R"({"fold":2,"epoch":0)",
                                      R"({"fold":2,"summary":true)"}));
}

}  // namespace
}  // namespace millrace
