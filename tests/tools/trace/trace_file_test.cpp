#include "tools/trace/trace_file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/files.h"

namespace millrace {
namespace {

nlohmann::json written(const std::vector<StageTrack>& tracks, const TraceInfo& info) {
  const test::TempFolder folder;
  const auto path = folder.path() / "trace.json";
  AtomicFile file(path);
  write_trace(file, tracks, info);
  file.commit();
  std::ifstream in(path);
  return nlohmann::json::parse(in);
}

std::vector<nlohmann::json> events(const nlohmann::json& trace, const std::string& phase) {
  std::vector<nlohmann::json> found;
  for (const auto& event : trace["traceEvents"]) {
    if (event["ph"] == phase) found.push_back(event);
  }
  return found;
}

TEST(TraceFile, HoldsThreadsAndQueues) {
  const std::vector<StageTrack> tracks{
      {"main", false, 41, {{1500, 2'000'999, 3, Stage::kEpoch}, {5, 5, 7, Stage::kCheckpoint}}},
      {"loader 1", false, 42, {}},
      {"copy", true, 1, {{7, 1007, StageListener::kNoNumber, Stage::kCopy}}}};
  const auto trace = written(tracks, {"trainer 1", "trainer --data 'x y'", "cuda:0", 4});
  EXPECT_EQ(trace["otherData"]["command"], "trainer --data 'x y'");
  EXPECT_EQ(trace["otherData"]["dropped"], 4);

  const auto spans = events(trace, "X");
  ASSERT_EQ(spans.size(), 3U);
  EXPECT_EQ(spans[0]["name"], "epoch");
  EXPECT_EQ(spans[0]["tid"], 41);
  EXPECT_EQ(spans[0]["args"]["number"], 3);
  EXPECT_DOUBLE_EQ(spans[0]["ts"], 1.5);
  EXPECT_DOUBLE_EQ(spans[0]["dur"], 1999.499);
  EXPECT_DOUBLE_EQ(spans[1]["ts"], 0.005);
  EXPECT_DOUBLE_EQ(spans[1]["dur"], 0.0);
  EXPECT_EQ(spans[2]["name"], "copy");
  EXPECT_NE(spans[2]["pid"], spans[0]["pid"]);
  EXPECT_FALSE(spans[2].contains("args"));

  std::vector<std::string> names;
  for (const auto& label : events(trace, "M")) {
    if (label["name"] != "thread_sort_index") names.push_back(label["args"]["name"]);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"host", "main", "loader 1", "cuda:0", "copy"}));
}

TEST(TraceFile, NamesMayHoldAnyBytes) {
  const auto trace =
      written({{"a\"\n\xFF", false, 1, {}}}, {"p", "trainer --data '\xC3\x28'", "", 0});
  EXPECT_EQ(trace["otherData"]["command"], "trainer --data '\xEF\xBF\xBD('");
}

TEST(TraceFile, ManyEventsAreAllThere) {
  StageTrack track{"main", false, 1, {}};
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    track.events.push_back({i * 10, i * 10 + 5, i, Stage::kGather});
  }
  const auto spans = events(written({track}, {}), "X");
  ASSERT_EQ(spans.size(), 20'000U);
  EXPECT_EQ(spans.back()["args"]["number"], 19'999);
}

}  // namespace
}  // namespace millrace
