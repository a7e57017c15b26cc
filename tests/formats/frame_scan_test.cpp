#include "formats/frame_scan.h"

#include <gtest/gtest.h>

#include <string>

#include "formats/seek_table.h"
#include "formats/seekable_zstd.h"
#include "tests/support/compressed.h"
#include "tests/support/files.h"
#include "tests/support/seekable.h"

namespace millrace {
namespace {

using test::ByteVector;
using test::joined;
using test::pixels;
using test::zstd_frame;

/// A frame of 16 bytes, and five of 2000.
class FrameScanTest : public testing::Test {
 protected:
  FrameScanTest() {
    add(pixels(16, 99));
    for (std::uint32_t i = 0; i < 5; ++i) add(pixels(2000, i));
    file_ = joined({file_, table_.encode()});
  }
  void add(const ByteVector& content) {
    const auto frame = zstd_frame(content);
    table_.add(static_cast<std::uint32_t>(frame.size()), static_cast<std::uint32_t>(content.size()),
               frame_checksum(content));
    file_ = joined({file_, frame});
    contents_.push_back(content);
  }
  std::size_t at(std::size_t frame) const {
    return static_cast<std::size_t>(table_.frames()[frame].stored_at);
  }
  std::size_t entry(std::size_t frame) const {
    return static_cast<std::size_t>(table_.stored_size()) + 8 + 12 * frame;
  }
  /// Frame `i` of the scan has the content that was written as frame `which`.
  void expect_content(const FrameScan& scan, std::size_t i, std::size_t which) const {
    const auto& frame = scan.frames.at(i);
    EXPECT_TRUE(frame.sound) << frame.fault;
    EXPECT_EQ(frame.content_at, table_.frames()[which].content_at);
    EXPECT_EQ(decode_found("f", file_, frame), contents_[which]);
  }
  void expect_all(const FrameScan& scan) const {
    ASSERT_EQ(scan.frames.size(), contents_.size());
    for (std::size_t i = 0; i < contents_.size(); ++i) expect_content(scan, i, i);
  }

  SeekTable table_;
  ByteVector file_;
  std::vector<ByteVector> contents_;
};

TEST_F(FrameScanTest, FindsNothingWrongWithASoundFile) {
  const auto scan = scan_frames(file_);
  expect_all(scan);
  EXPECT_TRUE(scan.complete);
  EXPECT_EQ(scan.table_fault, "");
  for (const auto& frame : scan.frames) EXPECT_EQ(frame.fault, "");
}

TEST_F(FrameScanTest, NamesABrokenFrame) {
  file_[at(3) + 300] ^= std::byte{1};
  const auto scan = scan_frames(file_);
  ASSERT_EQ(scan.frames.size(), 6U);
  EXPECT_FALSE(scan.frames[3].sound);
  EXPECT_TRUE(scan.frames[3].fault.starts_with("broken: ")) << scan.frames[3].fault;
  EXPECT_EQ(scan.frames[3].content_at, 16U + 2 * 2000);
  EXPECT_EQ(scan.frames[3].content, 2000U);
  for (const std::size_t i : {0U, 1U, 2U, 4U, 5U}) expect_content(scan, i, i);
  EXPECT_NE(test::data_error_of([&] {
              decode_found("f", file_, scan.frames[3]);
            }).find("expected a sound zstd frame, found broken"),
            std::string::npos);
}

TEST_F(FrameScanTest, BelievesTheChecksumThatHolds) {
  file_[at(4) - 1] ^= std::byte{1};     // frame 3's own
  file_[entry(2) + 9] ^= std::byte{8};  // the table's of frame 2
  const auto scan = scan_frames(file_);
  expect_all(scan);
  EXPECT_EQ(scan.frames[2].fault, "the seek table has another checksum for it");
  EXPECT_EQ(scan.frames[3].fault, "its own checksum is wrong, the seek table's holds");
}

TEST_F(FrameScanTest, BelievesTheFrameWhereTheTableHasAnotherSize) {
  file_[entry(2) + 4] ^= std::byte{4};
  const auto scan = scan_frames(file_);
  expect_all(scan);
  EXPECT_EQ(scan.frames[2].fault, "the seek table has 2004 bytes of content for it, not 2000");
}

TEST_F(FrameScanTest, MendsOneByteOfTheFirstFrame) {
  for (std::size_t i = 0; i < at(1); ++i) {
    const auto before = file_[i];
    file_[i] ^= std::byte{0x5a};
    const auto scan = scan_frames(file_);
    expect_all(scan);
    EXPECT_NE(scan.frames[0].fault, "") << i;
    file_[i] = before;
  }
  file_[10] ^= std::byte{1};
  file_[12] ^= std::byte{1};
  EXPECT_FALSE(scan_frames(file_).frames[0].sound);
}

TEST_F(FrameScanTest, NeedsNoTable) {
  // Each of its bytes, and cut off wherever.
  for (auto i = static_cast<std::size_t>(table_.stored_size()); i < file_.size(); ++i) {
    auto broken = file_;
    broken[i] ^= std::byte{0x81};
    std::swap(broken, file_);
    const auto scan = scan_frames(file_);
    expect_all(scan);
    std::string faults = scan.table_fault;
    for (const auto& frame : scan.frames) faults += frame.fault;
    EXPECT_NE(faults, "") << i;
    std::swap(broken, file_);
  }
  for (auto size = file_.size() - 1; size >= table_.stored_size(); --size) {
    file_.resize(size);
    const auto scan = scan_frames(file_);
    expect_content(scan, 5, 5);
    EXPECT_NE(scan.table_fault, "");
    EXPECT_EQ(scan.complete, size >= table_.stored_size() + 8) << size;
  }
}

TEST_F(FrameScanTest, FindsFramesBehindDamageWithoutATable) {
  file_.pop_back();  // the table's magic number
  file_[at(2) + 300] ^= std::byte{1};
  const auto scan = scan_frames(file_);
  ASSERT_EQ(scan.frames.size(), 6U);
  EXPECT_FALSE(scan.frames[2].sound);
  EXPECT_EQ(scan.frames[2].stored_at, at(2));
  EXPECT_EQ(scan.frames[2].stored, at(3) - at(2));
  EXPECT_FALSE(scan.frames[3].content_at.has_value());
  EXPECT_TRUE(scan.complete);
  EXPECT_EQ(decode_found("f", file_, scan.frames[5]), contents_[5]);
}

TEST_F(FrameScanTest, TakesAnyBytes) {
  EXPECT_TRUE(scan_frames({}).frames.empty());
  const auto noise = pixels(5000, 3);
  const auto scan = scan_frames(noise);
  ASSERT_EQ(scan.frames.size(), 1U);
  EXPECT_EQ(scan.frames[0].fault, "5000 bytes that are no whole frame");
  EXPECT_EQ(scan.table_fault, "no seek table at the end of the file");
}

}  // namespace
}  // namespace millrace
