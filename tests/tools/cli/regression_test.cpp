// Data sets whose labels are numbers, through the commands that convert, look at and mend data.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "formats/block_dataset.h"
#include "formats/folder.h"
#include "formats/npy.h"
#include "formats/shard_manifest.h"
#include "tests/support/npy_files.h"
#include "tests/tools/cli/damaged_folder.h"
#include "tools/cli/convert.h"
#include "tools/cli/inspect.h"
#include "tools/cli/preview.h"
#include "tools/cli/repair.h"
#include "tools/cli/verify.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;
using test::bytes_of;
using test::data_error_of;

const auto kGoOn = [](std::uint64_t, std::uint64_t) { return true; };
const OpenOptions kRegression{.task = Task::kRegression};

constexpr std::uint32_t kTrain = 3000;
constexpr std::uint32_t kTest = 200;

/// x_train.npy of images, y_train.npy of targets, and the same of test samples.
class RegressionTest : public testing::TestWithParam<std::uint32_t> {
 protected:
  RegressionTest() {
    fs::create_directory(in_);
    write("train", kTrain, 1);
    write("test", kTest, 2);
  }

  std::uint32_t targets() const { return GetParam(); }

  void write(const std::string& split, std::uint32_t count, std::uint32_t seed) const {
    test::write_bytes(in_ / ("x_" + split + ".npy"),
                      test::npy_of({.dtype = DType::kUInt8, .shape = {count, 9, 7}},
                                   test::pixels(std::size_t{count} * 63, seed)));
    std::vector<float> values(std::size_t{count} * targets());
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<float>(i * seed) / 3 - 100;
    }
    values[0] = -0.0F;
    values[1] = 1e-42F;
    values[2] = 3.4028235e38F;
    NpyHeader header{.dtype = DType::kFloat32, .shape = {count}};
    if (targets() > 1) header.shape.push_back(targets());
    test::write_bytes(in_ / ("y_" + split + ".npy"), test::npy_of(header, bytes_of(values)));
  }

  ConvertSpec spec(StoredAs to, const std::string& out = "out") const {
    return {.in = in_, .out = folder_ / out, .task = Task::kRegression, .to = to};
  }

  /// Samples and targets are the same to the bit, streamed too where that is said.
  void expect_same(const fs::path& out, bool streams) const {
    const auto before = open_folder(in_, kRegression);
    for (const bool in_blocks : {false, true}) {
      if (in_blocks && !streams) continue;
      auto options = kRegression;
      options.in_blocks = in_blocks;
      const auto after = open_folder(out, options);
      EXPECT_EQ(after.train->targets(), targets()) << out;
      EXPECT_EQ(after.train->hash(), before.train->hash()) << out;
      ASSERT_NE(after.test, nullptr);
      EXPECT_EQ(after.test->hash(), before.test->hash()) << out;
      const bool blocks = dynamic_cast<const BlockDataset*>(after.train.get()) != nullptr;
      EXPECT_EQ(blocks, in_blocks);
    }
  }

  test::TempFolder folder_;
  fs::path in_ = folder_ / "in";
  fs::path out_ = folder_ / "out";
};

INSTANTIATE_TEST_SUITE_P(Targets, RegressionTest, testing::Values(1U, 3U));

TEST_P(RegressionTest, ComesBackFromIdxFiles) {
  convert(spec(StoredAs::kSeekable), kGoOn);
  const auto tag = targets() == 1 ? "idx1" : "idx2";
  EXPECT_TRUE(fs::exists(out_ / fmt::format("train-labels-{}-float32.zst", tag)));
  expect_same(out_, true);
  convert(spec(StoredAs::kPlain, "plain"), kGoOn);
  expect_same(folder_ / "plain", true);
  // From IDX to IDX, and into arrays again.
  auto again = spec(StoredAs::kGzip, "gzip");
  again.in = out_;
  convert(again, kGoOn);
  expect_same(folder_ / "gzip", false);
  auto arrays = spec(StoredAs::kNpy, "arrays");
  arrays.in = folder_ / "gzip";
  convert(arrays, kGoOn);
  expect_same(folder_ / "arrays", true);
  for (const auto* name : {"x_train.npy", "y_train.npy", "y_test.npy"}) {
    EXPECT_EQ(test::read_bytes(folder_ / "arrays" / name), test::read_bytes(in_ / name)) << name;
  }
}

TEST_P(RegressionTest, ComesBackFromShards) {
  auto sharded = spec(StoredAs::kSeekable);
  sharded.shards = 3;
  // Interrupted behind the first shard; then that is kept.
  int calls = 0;
  convert(sharded, [&](std::uint64_t, std::uint64_t) { return ++calls < 2; });
  const auto files = convert(sharded, kGoOn);
  EXPECT_EQ(files.size(), 12U);
  EXPECT_TRUE(files[0].kept);
  expect_same(out_, true);
  const auto manifest = read_manifest(out_ / kManifestName);
  EXPECT_EQ(manifest.targets, targets());
  EXPECT_EQ(manifest.classes, 0U);
  EXPECT_EQ(verify(out_, kGoOn).faults(), 0U) << "the manifest says what labels are";
}

TEST_P(RegressionTest, IsNoDataOfLabels) {
  // As arrays, as IDX files and as shards: nothing in them is 0 or 1, but what the first sample
  // has.
  convert(spec(StoredAs::kPlain, "plain"), kGoOn);
  auto sharded = spec(StoredAs::kSeekable, "shards");
  sharded.shards = 2;
  convert(sharded, kGoOn);
  const OpenOptions labels{.task = Task::kMultilabel};
  for (const auto& data : {in_, folder_ / "plain", folder_ / "shards"}) {
    EXPECT_EQ(verify(data, kGoOn, kRegression).faults(), 0U) << data;
    const auto found = verify(data, kGoOn, labels);
    EXPECT_GT(found.faults(), 3000U) << data;
    const auto file = std::ranges::find_if(
        found.files, [](const VerifiedFile& one) { return one.faults.size() > 1; });
    ASSERT_NE(file, found.files.end());
    const auto& fault = file->faults[1];
    EXPECT_NE(fault.what.find("expected 0 or 1 as label "), std::string::npos) << fault.what;
    EXPECT_NE(fault.what.find(fmt::format(" of sample {}, found ", fault.samples.first)),
              std::string::npos)
        << fault.what;
    EXPECT_EQ(fault.samples.count, 1U);
  }
}

TEST_P(RegressionTest, ComesBackFromTables) {
  convert(spec(StoredAs::kCsv), kGoOn);
  const auto opened = open_folder(out_, kRegression);
  const auto before = open_folder(in_, kRegression);
  const auto& names = opened.train->column_names();
  EXPECT_EQ(names.targets, targets() == 1
                               ? std::vector<std::string>{"target"}
                               : (std::vector<std::string>{"target0", "target1", "target2"}));
  EXPECT_TRUE(std::ranges::equal(opened.train->labels(), before.train->labels())) << "to the bit";
  EXPECT_TRUE(
      std::ranges::equal(opened.train->contiguous().samples, before.train->contiguous().samples));
  // Columns keep the names that they have.
  auto text = test::read_bytes(out_ / "train.csv");
  const std::string_view was = targets() == 1 ? "target" : "target0";
  for (std::size_t i = 0; i < was.size(); ++i) text[i] = std::byte{'p'};
  fs::remove(out_ / "test.csv");
  test::write_bytes(out_ / "train.csv", text);
  auto again = spec(StoredAs::kCsv, "again");
  again.in = out_;
  again.label_column = std::string(was.size(), 'p') + (targets() == 1 ? "" : ",target1,target2");
  convert(again, kGoOn);
  EXPECT_TRUE(test::read_bytes(folder_ / "again" / "train.csv") == text);
}

TEST_P(RegressionTest, IsSplit) {
  fs::remove(in_ / "x_test.npy");
  fs::remove(in_ / "y_test.npy");
  auto split = spec(StoredAs::kSeekable);
  split.split = SplitShares{.train = 0.75, .test = 0.25};
  convert(split, kGoOn);
  const auto opened = open_folder(out_, kRegression);
  EXPECT_EQ(opened.train->size(), 2250U);
  EXPECT_EQ(opened.test->targets(), targets());
}

TEST_P(RegressionTest, IsNotWrittenToWhatHoldsClasses) {
  for (const auto to : {StoredAs::kTar, StoredAs::kTarZst, StoredAs::kImages}) {
    try {
      convert(spec(to), kGoOn);
      ADD_FAILURE() << name_of(to);
    } catch (const std::invalid_argument& error) {
      EXPECT_EQ(std::string(error.what()),
                fmt::format("--to: expected idx, gz, zst, npy or csv for targets (--task), found "
                            "{}, which holds classes alone",
                            name_of(to)));
    }
  }
  EXPECT_FALSE(fs::exists(out_));
}

TEST_P(RegressionTest, IsInspected) {
  const auto found = inspect(in_, kRegression);
  const auto& train = found.at("train");
  EXPECT_FALSE(train.contains("classes"));
  EXPECT_FALSE(train.contains("histogram"));
  ASSERT_EQ(train.at("targets").size(), targets());
  const auto& last = train.at("targets").back();
  EXPECT_TRUE(last.at("name").is_null());
  EXPECT_EQ(last.at("max"), double{3.4028235e38F});
  const auto first = inspect(in_ / "x_test.npy", kRegression).at("train").at("targets")[0];
  if (targets() == 3) {
    EXPECT_EQ(first.at("max"), 298.0);
  }
  const auto text = render_inspection(found);
  EXPECT_NE(text.find(fmt::format("train: 3000 samples of 9x7 uint8, {} target{}\n", targets(),
                                  targets() == 1 ? "" : "s")),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("  targets:\n    0: "), std::string::npos) << text;
  EXPECT_EQ(text.find("labels"), std::string::npos) << text;
}

TEST_P(RegressionTest, IsPreviewed) {
  PreviewSpec preview_spec;
  preview_spec.data = in_;
  preview_spec.task = Task::kRegression;
  preview_spec.count = 2;
  const auto shown = preview(preview_spec);
  ASSERT_EQ(shown.samples.size(), 2U);
  EXPECT_EQ(shown.samples[1].targets.size(), targets());
  EXPECT_EQ(shown.samples[0].name, targets() == 1 ? "-0" : "-0, 1.0005e-42, 3.4028e+38");
  EXPECT_EQ(shown.pictures[0].caption, shown.samples[0].name);
  preview_spec.only = "3";
  EXPECT_EQ(data_error_of([&] { (void)preview(preview_spec); }),
            (in_ / "x_train.npy").string() +
                ": expected classes, of which one is asked for (--class), found " +
                (targets() == 1 ? "1 target" : "3 targets"));
}

TEST_P(RegressionTest, IsVerified) {
  EXPECT_EQ(verify(in_, kGoOn, kRegression).faults(), 0U) << "arrays";
  convert(spec(StoredAs::kSeekable), kGoOn);
  EXPECT_EQ(verify(out_, kGoOn, kRegression).faults(), 0U);
  const auto found = verify(out_, kGoOn);
  ASSERT_EQ(found.faults(), 2U) << "nobody said that they are targets";
  // The first that is damaged.
  const auto labels =
      out_ / fmt::format("t10k-labels-{}-float32", targets() == 1 ? "idx1" : "idx2");
  std::vector<float> values(std::size_t{kTest} * targets(), 1.0F);
  values.back() = std::numeric_limits<float>::quiet_NaN();
  IdxHeader header{DType::kFloat32, {kTest}};
  if (targets() > 1) header.dims.push_back(targets());
  fs::remove(labels.string() + ".zst");
  write_idx(labels, header, bytes_of(values));
  const auto broken = verify(out_, kGoOn, kRegression);
  ASSERT_EQ(broken.faults(), 1U);
  for (const auto& file : broken.files) {
    if (file.path != labels) continue;
    EXPECT_EQ(file.faults.at(0).what,
              targets() == 1
                  ? "byte 804: expected a finite number (float32) as the target of sample 199, "
                    "found nan"
                  : "byte 2408: expected a finite number (float32) as target 2 of sample 199, "
                    "found nan");
    EXPECT_EQ(file.faults.at(0).samples, (SampleRange{199, 1}));
  }
  write_idx(labels, {DType::kFloat32, {kTest, 2}}, bytes_of(std::vector<float>(kTest * 2)));
  EXPECT_EQ(verify(out_, kGoOn, kRegression).faults(), 1U) << "as many as in training";
}

TEST_P(RegressionTest, IsRepaired) {
  convert(spec(StoredAs::kSeekable), kGoOn);
  const auto labels =
      out_ / fmt::format("train-labels-{}-float32.zst", targets() == 1 ? "idx1" : "idx2");
  auto file = test::read_bytes(labels);
  file.resize(file.size() - 20);  // of the seek table
  test::write_bytes(labels, file);
  const auto images = test::read_bytes(out_ / "train-images-idx3-ubyte.zst");
  RepairSpec spec{.in = out_, .out = folder_ / "mended", .task = Task::kRegression};
  repair(spec, kGoOn);
  expect_same(folder_ / "mended", true);
  EXPECT_TRUE(test::read_bytes(folder_ / "mended" / "train-images-idx3-ubyte.zst") == images);
}

TEST_P(RegressionTest, IsRepairedInShards) {
  auto sharded = spec(StoredAs::kSeekable);
  sharded.shards = 3;
  convert(sharded, kGoOn);
  for (const bool manifest : {true, false}) {
    if (!manifest) fs::remove(out_ / kManifestName);
    const auto mended = folder_ / (manifest ? "mended" : "mended2");
    RepairSpec spec{.in = out_, .out = mended};
    // The manifest says what labels are; without one the task does.
    if (!manifest) spec.task = Task::kRegression;
    repair(spec, kGoOn);
    expect_same(mended, true);
    EXPECT_EQ(verify(mended, kGoOn).faults(), 0U);
    EXPECT_EQ(read_manifest(mended / kManifestName).targets, targets());
  }
}

}  // namespace
}  // namespace millrace
