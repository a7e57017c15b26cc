#include <gtest/gtest.h>

#include <string>

#include "formats/codec.h"
#include "tests/support/compressed.h"
#include "tests/support/files.h"

namespace millrace {
namespace {

using test::ByteVector;
using test::data_error_of;
using test::joined;
using test::make_bytes;
using test::zstd_frame;
using test::zstd_skippable;

const std::filesystem::path kFile = "a.zst";
const ByteVector kContent = make_bytes("mill race mill race mill race");

std::string error_of(const ByteVector& stored, std::size_t room = 100) {
  return data_error_of([&] {
    zstd_content_size(kFile, stored);
    ByteVector out(room);
    zstd_decode(kFile, stored, out);
  });
}

TEST(Zstd, SkipsSkippableFrames) {
  const auto frame = zstd_frame(kContent);
  for (int nibble = 0; nibble < 16; ++nibble) {
    const auto skipped = zstd_skippable(nibble, 300);
    const auto stored = joined({skipped, frame, skipped, frame, zstd_skippable(nibble, 0)});
    EXPECT_EQ(zstd_content_size(kFile, stored).exact, 2 * kContent.size());
    ByteVector out(2 * kContent.size());
    const auto decoded = zstd_decode(kFile, stored, out);
    EXPECT_FALSE(decoded.more);
    EXPECT_EQ(out, joined({kContent, kContent}));
  }
}

TEST(Zstd, OnlySkippableFramesAreNoContent) {
  const auto stored = zstd_skippable(0, 10);
  EXPECT_EQ(zstd_content_size(kFile, stored).exact, 0U);
  EXPECT_EQ(zstd_decode(kFile, stored, {}).written, 0U);
}

TEST(Zstd, KnowsTheSizeIfAllFramesSayIt) {
  const auto sized = zstd_frame(kContent);
  const auto unsized = zstd_frame(kContent, {.content_size = false});
  EXPECT_EQ(zstd_content_size(kFile, sized).exact, kContent.size());
  EXPECT_EQ(zstd_content_size(kFile, joined({sized, sized})).exact, 2 * kContent.size());
  EXPECT_FALSE(zstd_content_size(kFile, joined({sized, unsized})).exact);
  EXPECT_FALSE(zstd_content_size(kFile, joined({unsized, sized})).exact);
  EXPECT_GE(zstd_content_size(kFile, joined({sized, unsized})).most, 2 * kContent.size());
}

TEST(Zstd, NamesAWrongChecksum) {
  for (const bool content_size : {true, false}) {
    auto frame = zstd_frame(kContent, {.content_size = content_size});
    frame.back() ^= std::byte{1};
    EXPECT_EQ(error_of(frame),
              "a.zst: broken zstd: byte 0 of the compressed file: expected a sound zstd frame, "
              "found Restored data "
              "doesn't match checksum");
  }
}

TEST(Zstd, NamesTheFrameThatIsBroken) {
  const auto good = zstd_frame(kContent);
  auto bad = good;
  bad.back() ^= std::byte{1};
  EXPECT_EQ(error_of(joined({good, bad})), "a.zst: broken zstd: byte " +
                                               std::to_string(good.size()) +
                                               " of the compressed file: expected a sound zstd "
                                               "frame, found Restored data doesn't match checksum");
}

TEST(Zstd, NamesATruncation) {
  auto frame = zstd_frame(kContent);
  frame.resize(frame.size() - 3);
  EXPECT_EQ(
      error_of(frame),
      "a.zst: broken zstd: byte 0 of the compressed file: expected a whole zstd frame, found " +
          std::to_string(frame.size()) + " bytes that are not: Src size is incorrect");
}

TEST(Zstd, NamesWhatFollowsTheLastFrame) {
  const auto frame = zstd_frame(kContent);
  EXPECT_EQ(error_of(joined({frame, make_bytes("a tail that is no frame")})),
            "a.zst: broken zstd: byte " + std::to_string(frame.size()) +
                " of the compressed file: expected the end or another whole zstd frame, found 23 "
                "bytes that are not: "
                "Unknown frame descriptor");
}

// As zstd itself does.
TEST(Zstd, IsNotFilledUpWithZeros) {
  const auto frame = zstd_frame(kContent);
  for (const std::size_t zeros : {1, 512}) {
    EXPECT_NE(error_of(joined({frame, ByteVector(zeros)}))
                  .find("byte " + std::to_string(frame.size()) + " of the compressed file"),
              std::string::npos)
        << zeros;
  }
}

/// A single-segment frame whose header claims `claimed` bytes of content, with one raw block of 4.
ByteVector claiming(std::uint64_t claimed) {
  auto frame = make_bytes({0x28, 0xb5, 0x2f, 0xfd, 0xe0});
  for (int i = 0; i < 8; ++i) frame.push_back(static_cast<std::byte>(claimed >> (8 * i)));
  return joined({frame, make_bytes({0x21, 0, 0, 'm', 'i', 'l', 'l'})});
}

TEST(Zstd, RefusesAHeaderThatClaimsMoreThanTheFrameCanHold) {
  EXPECT_EQ(zstd_content_size(kFile, claiming(4)).exact, 4U) << "the frame is well formed";
  EXPECT_EQ(error_of(claiming(std::uint64_t{1} << 40)),
            "a.zst: broken zstd: byte 0 of the compressed file: expected at most 655360 bytes from "
            "a zstd frame of 20, "
            "found a header that says 1099511627776");
}

TEST(Zstd, FindsALieThatCouldBeTrue) {
  EXPECT_TRUE(
      error_of(claiming(5))
          .starts_with("a.zst: broken zstd: byte 0 of the compressed file: expected a sound "));
  EXPECT_TRUE(
      error_of(claiming(3))
          .starts_with("a.zst: broken zstd: byte 0 of the compressed file: expected a sound "));
}

TEST(Zstd, TheBoundHoldsForTheDensestFrame) {
  const ByteVector zeros(100'000'000);
  const auto frame = zstd_frame(zeros, {.content_size = false, .checksum = false, .level = 19});
  EXPECT_GE(zstd_content_size(kFile, frame).most, zeros.size());
}

TEST(Zstd, DecodesAFrameOfAHugeWindow) {
  // Beyond the 128 MiB that a streaming decoder takes by default: known sizes need no window at
  // all.
  const ByteVector content(150'000'000, std::byte{7});
  const auto frame = zstd_frame(content, {.level = 1, .window_log = 28});
  ByteVector out(content.size());
  EXPECT_EQ(zstd_decode(kFile, frame, out).written, content.size());
  EXPECT_TRUE(out == content);
}

}  // namespace
}  // namespace millrace
