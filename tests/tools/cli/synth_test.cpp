#include "tools/cli/synth.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "formats/folder.h"
#include "formats/synthetic_digits.h"
#include "tests/support/files.h"

namespace millrace {
namespace {

using test::data_error_of;
using test::make_bytes;
using test::read_bytes;
using test::TempFolder;
using test::write_bytes;

const auto kGoOn = [](std::uint64_t) { return true; };

SynthSpec spec_for(const std::filesystem::path& folder, std::uint32_t train = 600,
                   std::uint32_t test = 70) {
  SynthSpec spec;
  spec.folder = folder;
  spec.train = train;
  spec.test = test;
  spec.seed = 5;
  return spec;
}

TEST(DrawDataSet, WritesAFolderThatOpens) {
  const TempFolder folder;
  const auto files = draw_data_set(spec_for(folder / "new" / "digits"), kGoOn);
  EXPECT_EQ(files.size(), 4U);
  const DataFolder data = open_folder(folder / "new" / "digits");
  EXPECT_EQ(data.train->size(), 600U);
  EXPECT_EQ(data.test->size(), 70U);
  EXPECT_EQ(data.train->classes(), 10U);
  // Image and label of each place are the generator's.
  const SyntheticDigits digits{5};
  std::vector<std::uint8_t> expected(SyntheticDigits::kPixels);
  const auto view = data.train->contiguous();
  for (const std::uint64_t i : {0U, 255U, 256U, 599U}) {
    EXPECT_EQ(digits.draw(i, expected), view.labels[i]);
    EXPECT_TRUE(std::ranges::equal(
        std::as_bytes(std::span(expected)),
        view.samples.subspan(i * SyntheticDigits::kPixels, SyntheticDigits::kPixels)));
  }
}

TEST(DrawDataSet, DoesNotDependOnThreads) {
  const TempFolder folder;
  SynthSpec one = spec_for(folder / "one", 1000);
  one.jobs = 1;
  SynthSpec many = spec_for(folder / "many", 1000);
  many.jobs = 7;
  const auto a = draw_data_set(one, kGoOn);
  const auto b = draw_data_set(many, kGoOn);
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_EQ(read_bytes(a[i]), read_bytes(b[i])) << a[i];
}

TEST(DrawDataSet, TestImagesAreTheirOwnWhateverTheTrainingSet) {
  const TempFolder folder;
  draw_data_set(spec_for(folder / "a", 50), kGoOn);
  draw_data_set(spec_for(folder / "b", 300), kGoOn);
  EXPECT_EQ(read_bytes(folder / "a/t10k-images-idx3-ubyte"),
            read_bytes(folder / "b/t10k-images-idx3-ubyte"));
  EXPECT_NE(read_bytes(folder / "a/t10k-images-idx3-ubyte"),
            read_bytes(folder / "a/train-images-idx3-ubyte"));
  const DataFolder data = open_folder(folder / "a");
  std::vector<int> counts(10);
  for (const std::int32_t label : data.test->contiguous().labels) ++counts[label];
  EXPECT_EQ(counts, std::vector<int>(10, 7));
}

TEST(DrawDataSet, OverwritesOnlyByForce) {
  const TempFolder folder;
  SynthSpec spec = spec_for(folder.path());
  draw_data_set(spec, kGoOn);
  const auto before = read_bytes(folder / "train-images-idx3-ubyte");
  spec.seed = 6;
  EXPECT_NE(data_error_of([&] { draw_data_set(spec, kGoOn); }).find("--force"), std::string::npos);
  EXPECT_EQ(read_bytes(folder / "train-images-idx3-ubyte"), before);
  spec.force = true;
  draw_data_set(spec, kGoOn);
  EXPECT_NE(read_bytes(folder / "train-images-idx3-ubyte"), before);
}

TEST(DrawDataSet, DoesNotHideACompressedSet) {
  const TempFolder folder;
  write_bytes(folder / "t10k-labels-idx1-ubyte.gz", make_bytes("anything"));
  EXPECT_NE(data_error_of([&] {
              draw_data_set(spec_for(folder.path()), kGoOn);
            }).find("t10k-labels-idx1-ubyte.gz: is there already"),
            std::string::npos);
  EXPECT_EQ(folder.names(), std::vector<std::string>({"t10k-labels-idx1-ubyte.gz"}));
}

TEST(DrawDataSet, LeavesNoForeignTestFilesBesideNewTrainingFiles) {
  const TempFolder folder;
  SynthSpec spec = spec_for(folder.path());
  draw_data_set(spec, kGoOn);
  spec.test = 0;
  spec.force = true;
  EXPECT_NE(data_error_of([&] { draw_data_set(spec, kGoOn); }).find("t10k"), std::string::npos);
}

TEST(DrawDataSet, LeavesNoForeignValidationFilesBesideNewTrainingFiles) {
  const TempFolder folder;
  write_bytes(folder / "val-images-idx3-ubyte.gz", make_bytes("anything"));
  SynthSpec spec = spec_for(folder.path());
  for (const bool force : {false, true}) {
    spec.force = force;
    EXPECT_EQ(data_error_of([&] { draw_data_set(spec, kGoOn); }),
              (folder / "val-images-idx3-ubyte.gz").string() +
                  ": would stay beside training files it does not belong to; remove it");
  }
  EXPECT_EQ(folder.names(), std::vector<std::string>({"val-images-idx3-ubyte.gz"}));
}

TEST(DrawDataSet, WritesNoTestFilesWhereNoneAreAskedFor) {
  const TempFolder folder;
  EXPECT_EQ(draw_data_set(spec_for(folder.path(), 10, 0), kGoOn).size(), 2U);
  EXPECT_EQ(folder.names(),
            std::vector<std::string>({"train-images-idx3-ubyte", "train-labels-idx1-ubyte"}));
}

TEST(DrawDataSet, LeavesNothingWhenItIsStopped) {
  const TempFolder folder;
  int calls = 0;
  const auto files =
      draw_data_set(spec_for(folder.path(), 3000), [&](std::uint64_t) { return ++calls < 3; });
  EXPECT_TRUE(files.empty());
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(folder.names(), std::vector<std::string>());
}

TEST(DrawDataSet, TellsProgressInOrder) {
  const TempFolder folder;
  std::vector<std::uint64_t> told;
  draw_data_set(spec_for(folder.path(), 600, 70), [&](std::uint64_t done) {
    told.push_back(done);
    return true;
  });
  EXPECT_TRUE(std::ranges::is_sorted(told));
  EXPECT_EQ(told.back(), 670U);
}

}  // namespace
}  // namespace millrace
