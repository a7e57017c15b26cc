#include "tools/cli/verify.h"

#include <gtest/gtest.h>

#include "formats/error.h"
#include "tests/tools/cli/damaged_folder.h"

namespace millrace {
namespace {

using test::write_bytes;

const auto kGoOn = [](std::size_t, std::size_t) { return true; };

class VerifyTest : public test::DamagedFolder {
 protected:
  /// The only fault in the folder.
  IdxFault only_fault(const std::string& file) const {
    const auto found = verify(in_, kGoOn);
    EXPECT_EQ(found.faults(), 1U);
    for (const auto& one : found.files) {
      if (one.path.filename() == file && one.faults.size() == 1) return one.faults[0];
    }
    ADD_FAILURE() << "not in " << file;
    return {};
  }
};

TEST_F(VerifyTest, FindsNothingInASoundFolder) {
  const auto found = verify(in_, kGoOn);
  ASSERT_EQ(found.files.size(), 4U);
  EXPECT_EQ(found.faults(), 0U);
  EXPECT_EQ(found.files[2].path, images_);
  EXPECT_EQ(found.files[2].form, "seekable zstd");
  EXPECT_EQ(found.files[2].samples, 1000U);
  EXPECT_EQ(found.files[2].frames, 4U);
}

TEST_F(VerifyTest, NamesFrameAndSamples) {
  break_frame(images_, 3);
  const auto fault = only_fault("train-images-idx3-ubyte.zst");
  EXPECT_TRUE(fault.what.starts_with("frame 3 (byte ")) << fault.what;
  EXPECT_EQ(fault.samples, (SampleRange{668, 332}));
}

TEST_F(VerifyTest, NamesEachBadLabel) {
  auto labels = test::small_labels(100, 10);
  labels[8 + 41] = std::byte{10};
  std::filesystem::remove(in_ / "t10k-labels-idx1-ubyte.zst");
  write_bytes(in_ / "t10k-labels-idx1-ubyte", labels);
  const auto fault = only_fault("t10k-labels-idx1-ubyte");
  EXPECT_EQ(fault.what, "byte 49: expected a label in [0, 10), found 10");
  EXPECT_EQ(fault.samples, (SampleRange{41, 1}));
}

TEST_F(VerifyTest, NotesClassesWithoutASample) {
  auto labels = test::small_labels(1000, 10);
  labels[8 + 41] = std::byte{200};
  std::filesystem::remove(labels_);
  write_bytes(in_ / "train-labels-idx1-ubyte", labels);
  const auto found = verify(in_, kGoOn);
  EXPECT_EQ(found.faults(), 0U);
  std::vector<std::string> notes;
  for (const auto& file : found.files)
    notes.insert(notes.end(), file.notes.begin(), file.notes.end());
  EXPECT_EQ(notes, std::vector<std::string>{"classes 10 to 199 of 201 have no sample"});
}

TEST_F(VerifyTest, NamesNegativeLabels) {
  std::vector<std::int32_t> labels(100);
  labels[7] = -3;
  labels[9] = 1 << 20;
  std::filesystem::remove(in_ / "t10k-labels-idx1-ubyte.zst");
  write_idx(in_ / "t10k-labels-idx1-int", {DType::kInt32, {100}}, test::bytes_of(labels));
  const auto found = verify(in_ / "t10k-labels-idx1-int", kGoOn);
  ASSERT_EQ(found.files.at(0).faults.size(), 2U);
  EXPECT_EQ(found.files[0].faults[0].what, "byte 36: expected a label in [0, 1048576), found -3");
  EXPECT_EQ(found.files[0].faults[1].samples, (SampleRange{9, 1}));
}

TEST_F(VerifyTest, ComparesCounts) {
  write_labels(labels_, 999, 10);
  EXPECT_EQ(
      only_fault("train-labels-idx1-ubyte.zst").what,
      "byte 4: expected 1000 labels, one for each image in " + images_.string() + ", found 999");
}

TEST_F(VerifyTest, MissesHalfAPair) {
  std::filesystem::remove(labels_);
  EXPECT_EQ(only_fault("train-images-idx3-ubyte.zst").what,
            "expected a train labels file beside it, found none");
}

TEST_F(VerifyTest, WantsLabelsToBeLabels) {
  test::write_seekable(labels_, {1000, 2});
  EXPECT_EQ(only_fault("train-labels-idx1-ubyte.zst").what,
            "expected labels, of rank 1 and an integer type, found 1000x2 uint8 "
            "(numbers that are to be learnt: --task regression; of 0 and 1 for each label: --task "
            "multilabel)");
}

TEST_F(VerifyTest, StopsWhenItIsTold) {
  int calls = 0;
  verify(in_, [&](auto, auto) { return ++calls < 2; });
  EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace millrace
