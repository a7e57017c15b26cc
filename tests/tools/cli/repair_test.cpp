#include "tools/cli/repair.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "formats/error.h"
#include "formats/folder.h"
#include "tests/tools/cli/damaged_folder.h"
#include "tools/cli/verify.h"

namespace millrace {
namespace {

using test::data_error_of;
using test::read_bytes;
using test::write_bytes;

const auto kGoOn = [](std::size_t, std::size_t) { return true; };

class RepairTest : public test::DamagedFolder {
 protected:
  RepairSpec spec() const {
    RepairSpec spec;
    spec.in = in_;
    spec.out = folder_ / "out";
    return spec;
  }
  /// The repaired folder is sound, and its training set holds the samples `kept` of the old one.
  void expect_kept(const std::vector<SampleRange>& kept) const {
    EXPECT_EQ(verify(folder_ / "out", kGoOn).faults(), 0U);
    const auto data = open_folder(folder_ / "out");
    const auto view = data.train->contiguous();
    ASSERT_EQ(view.labels.size(), data.train->size());
    std::size_t at = 0;
    for (const auto& range : kept) {
      const auto old = std::span(content_).subspan(16 + range.first * 784, range.count * 784);
      EXPECT_TRUE(std::ranges::equal(view.samples.subspan(at * 784, old.size()), old));
      for (std::uint64_t i = 0; i < range.count; ++i) {
        EXPECT_EQ(view.labels[at + i], static_cast<std::int32_t>((range.first + i) % 10));
      }
      at += range.count;
    }
    EXPECT_EQ(view.labels.size(), at);
  }
};

TEST_F(RepairTest, RebuildsALostTableByteForByte) {
  const auto before = read_bytes(images_);
  cut(images_, before.size() - 20);
  const auto done = repair(spec(), kGoOn);
  ASSERT_EQ(done.size(), 4U);
  EXPECT_EQ(read_bytes(folder_ / "out" / images_.filename()), before);
  expect_kept({{0, 1000}});
  const auto images = std::ranges::find(done, images_, &RepairedFile::from);
  EXPECT_EQ(images->samples, 1000U);
  EXPECT_TRUE(images->dropped.empty());
  EXPECT_FALSE(images->faults.empty());
}

TEST_F(RepairTest, DropsTheSamplesOfABrokenFrameFromBothFiles) {
  break_frame(images_, 2);
  const auto done = repair(spec(), kGoOn);
  for (const auto& file : done) {
    if (file.from != images_ && file.from != labels_) continue;
    EXPECT_EQ(file.samples, 666U);
    EXPECT_EQ(file.dropped, (std::vector<SampleRange>{{334, 334}}));
  }
  expect_kept({{0, 334}, {668, 332}});
  EXPECT_EQ(open_folder(folder_ / "out").test->size(), 100U);
}

TEST_F(RepairTest, KeepsTheWholeFramesOfAFileThatIsCut) {
  const auto table = read_seek_table(images_, read_bytes(images_)).value();
  cut(images_, static_cast<std::size_t>(table.frames()[3].stored_at) + 10);
  repair(spec(), kGoOn);
  expect_kept({{0, 668}});
}

TEST_F(RepairTest, DropsSamplesWithoutALabel) {
  std::vector<std::int32_t> labels(1000);
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int32_t>(i % 10);
  labels[500] = -1;
  std::filesystem::remove(labels_);
  write_idx(in_ / "train-labels-idx1-int", {DType::kInt32, {1000}}, test::bytes_of(labels));
  repair(spec(), kGoOn);
  expect_kept({{0, 500}, {501, 499}});
}

TEST_F(RepairTest, TakesOneFile) {
  break_frame(images_, 1);
  auto one = spec();
  one.in = images_;
  const auto done = repair(one, kGoOn);
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].samples, 666U);
  EXPECT_EQ(read_idx_header(folder_ / "out" / images_.filename()).dims,
            (std::vector<std::uint32_t>{666, 28, 28}));
}

TEST_F(RepairTest, WritesNothingWhereNothingIsLeftOrItIsStopped) {
  auto stopped = spec();
  int calls = 0;
  EXPECT_TRUE(repair(stopped, [&](auto, auto) { return ++calls < 2; }).empty());
  EXPECT_FALSE(std::filesystem::exists(stopped.out));
  write_bytes(labels_, test::make_bytes("not labels"));
  EXPECT_NE(data_error_of([&] {
              repair(spec(), kGoOn);
            }).find("no sample can be salvaged: what belongs to it is lost"),
            std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(stopped.out));
}

TEST_F(RepairTest, OverwritesOnlyByForce) {
  auto place = spec();
  place.out = in_;
  EXPECT_NE(data_error_of([&] { repair(place, kGoOn); }).find("--force"), std::string::npos);
  break_frame(images_, 3);
  place.force = true;
  repair(place, kGoOn);
  EXPECT_EQ(verify(in_, kGoOn).faults(), 0U);
}

}  // namespace
}  // namespace millrace
