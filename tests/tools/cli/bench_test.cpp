#include "tools/cli/bench.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "formats/idx.h"
#include "tests/support/files.h"
#include "tests/support/idx_files.h"
#include "tests/support/seekable.h"
#include "tools/cli/convert.h"

namespace millrace {
namespace {

using test::data_error_of;
using test::TempFolder;
using test::write_bytes;
using Kind = BenchStage::Kind;

const auto kSilent = [](double, std::string_view) {};

std::vector<Kind> kinds_of(const BenchResult& result) {
  std::vector<Kind> kinds;
  for (const auto& stage : result.stages) {
    if (stage.kind != Kind::kReadUncached) kinds.push_back(stage.kind);  // not on every file system
  }
  return kinds;
}

class BenchTest : public testing::Test {
 protected:
  BenchTest() {
    std::filesystem::create_directory(folder_ / "plain");
    write_idx(folder_ / "plain/train-images-idx3-ubyte", {DType::kUInt8, {900, 28, 28}},
              test::pixels(900 * 784));
    write_bytes(folder_ / "plain/train-labels-idx1-ubyte", test::small_labels(900, 10));
    spec_.path = folder_ / "plain";
    spec_.seconds = 0.002;
    spec_.workers = 2;
  }
  BenchResult measured() { return bench(spec_, kSilent, stop_).value(); }

  const TempFolder folder_;
  BenchSpec spec_;
  std::atomic<bool> stop_{false};
};

TEST_F(BenchTest, MeasuresEveryStageWithOneWorkerAndWithAll) {
  spec_.augment.rotate = 10.0F;
  const BenchResult result = measured();
  EXPECT_EQ(kinds_of(result), (std::vector{Kind::kReadCached, Kind::kOpen, Kind::kGather,
                                           Kind::kAugment, Kind::kDeliver}));
  EXPECT_EQ(result.samples, 900U);
  EXPECT_EQ(result.sample_bytes, 784U);
  EXPECT_EQ(result.file_bytes, 16U + 900U * 784U + 8U + 900U);
  EXPECT_TRUE(result.in_memory);
  for (const auto& stage : result.stages) {
    ASSERT_EQ(stage.rates.size(), 2U);
    EXPECT_EQ(stage.rates[0].workers, 1U);
    EXPECT_EQ(stage.rates[1].workers, 2U);
    for (const auto& rate : stage.rates) {
      EXPECT_GT(rate.samples_per_s, 0.0);
      const double bytes = rate.bytes_per_s / rate.samples_per_s;
      EXPECT_NEAR(bytes, 784.0, 2.0) << name_of(stage.kind);
    }
  }
  // Doing two things takes longer than doing one of them.
  const auto rate = [&](Kind kind) { return result.stage(kind)->rates.front().samples_per_s; };
  EXPECT_LT(rate(Kind::kDeliver), rate(Kind::kGather));
}

TEST_F(BenchTest, MeasuresSeekableFilesAsAStreamToo) {
  ConvertSpec convert_spec;
  convert_spec.in = folder_ / "plain";
  convert_spec.out = folder_ / "zst";
  convert(convert_spec, [](std::uint64_t, std::uint64_t) { return true; });
  spec_.path = folder_ / "zst";
  const BenchResult result = measured();
  EXPECT_EQ(kinds_of(result), (std::vector{Kind::kReadCached, Kind::kOpen, Kind::kGather,
                                           Kind::kDecodeBlocks, Kind::kStream}));
  EXPECT_NE(render_bench(result).find("\nstream "), std::string::npos) << render_bench(result);
}

TEST_F(BenchTest, DecodesImagesForEveryChunk) {
  for (const char* name : {"a", "b"}) {
    std::filesystem::create_directories(folder_ / "photos" / name);
    for (int i = 0; i < 3; ++i) {
      write_bytes(folder_ / "photos" / name / (std::to_string(i) + ".pgm"),
                  test::make_bytes("P5 2 2 255\nabcd"));
    }
  }
  spec_.path = folder_ / "photos";
  spec_.image.resize = ImageSize{4, 4};
  const BenchResult result = measured();
  EXPECT_EQ(kinds_of(result), (std::vector{Kind::kReadCached, Kind::kOpen, Kind::kDecode}));
  EXPECT_FALSE(result.in_memory);
  EXPECT_EQ(result.sample_bytes, 16U);
}

TEST_F(BenchTest, TellsHowFarItIs) {
  double last = 0.0;
  std::vector<std::string> told;
  bench(
      spec_,
      [&](double share, std::string_view what) {
        EXPECT_GE(share, last);
        EXPECT_LE(share, 1.0);
        last = share;
        told.emplace_back(what);
      },
      stop_);
  EXPECT_EQ(told.front(), "opening");
  EXPECT_EQ(std::ranges::count(told, "gather"), 2);
}

TEST_F(BenchTest, EndsWhenStopped) {
  spec_.seconds = 1000.0;
  EXPECT_FALSE(bench(
      spec_, [&](double, std::string_view what) { stop_ = what == "read, cached"; }, stop_));
}

TEST_F(BenchTest, RefusesWhatTrainingRefuses) {
  spec_.path = folder_ / "nowhere";
  EXPECT_NE(data_error_of([&] { measured(); }).find("nowhere"), std::string::npos);
  spec_.path = folder_ / "plain";
  spec_.augment.rotate = 200.0F;
  EXPECT_THROW(measured(), std::invalid_argument);
}

BenchStage stage_of(Kind kind, double one, double all) {
  return {kind, {{1, one, one * 1000.0}, {4, all, all * 1000.0}}};
}

TEST(BenchVerdict, NamesTheDearestStage) {
  BenchResult result;
  result.workers = 4;
  result.in_memory = true;
  EXPECT_EQ(bench_verdict(result), "nothing was measured");
  result.stages = {stage_of(Kind::kGather, 9e6, 3e7)};
  EXPECT_EQ(bench_verdict(result),
            "bound by memory alone: 4 workers deliver 30.0M samples/s (30.0GB/s), and training "
            "that keeps the data set with the model needs none of it");
  result.stages.push_back(stage_of(Kind::kAugment, 1e6, 4e6));
  result.stages.push_back(stage_of(Kind::kDeliver, 9e5, 3.6e6));
  EXPECT_EQ(bench_verdict(result),
            "bound by distorting samples, 90 % of a worker's time: 4 workers deliver 3.60M "
            "samples/s (3.60GB/s)");
}

TEST(BenchVerdict, NamesTheDiskWhereFilesAreReadEachEpoch) {
  BenchResult result;
  result.stages = {stage_of(Kind::kReadUncached, 50.0, 80.0),
                   stage_of(Kind::kDecode, 100.0, 400.0)};
  EXPECT_EQ(bench_verdict(result),
            "storage-bound until the files are cached: it reads 80 samples/s, 4 workers deliver "
            "400 samples/s (400kB/s)");
  result.stages.front() = stage_of(Kind::kReadUncached, 500.0, 800.0);
  EXPECT_EQ(bench_verdict(result),
            "bound by decoding samples, 100 % of a worker's time: 4 workers deliver 400 samples/s "
            "(400kB/s)");
  result.stages = {stage_of(Kind::kDecodeBlocks, 1000.0, 4000.0),
                   stage_of(Kind::kStream, 800.0, 3000.0)};
  EXPECT_EQ(bench_verdict(result),
            "bound by decompressing frames, 80 % of a worker's time: 4 workers deliver 3.00k "
            "samples/s (3.00MB/s)");
}

TEST(BenchVerdict, StandsInTextAndJson) {
  BenchResult result;
  result.description = "data: 3 training samples";
  result.in_memory = true;
  result.stages = {stage_of(Kind::kGather, 9e6, 3e7)};
  EXPECT_EQ(bench_json(result).at("verdict"), bench_verdict(result));
  EXPECT_EQ(bench_json(result).at("stages")[0].at("rates")[1].at("workers"), 4);
  const std::string text = render_bench(result);
  EXPECT_TRUE(text.starts_with("Data: data: 3 training samples\n")) << text;
  EXPECT_NE(text.find("gather                9.00M samples/s  9000 MB/s"), std::string::npos)
      << text;
  EXPECT_NE(text.find("Verdict: " + bench_verdict(result) + '\n'), std::string::npos);
}

}  // namespace
}  // namespace millrace
