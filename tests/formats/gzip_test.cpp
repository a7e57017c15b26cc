#include <gtest/gtest.h>
#include <libdeflate.h>

#include <string>

#include "formats/codec.h"
#include "tests/support/compressed.h"
#include "tests/support/files.h"

namespace millrace {
namespace {

using test::ByteVector;
using test::data_error_of;
using test::gzip_member;
using test::joined;
using test::make_bytes;

const std::filesystem::path kFile = "a.gz";
const ByteVector kContent = make_bytes("mill race mill race mill race");

std::string error_of(const ByteVector& stored, std::size_t room = 100) {
  return data_error_of([&] {
    gzip_content_size(kFile, stored);
    ByteVector out(room);
    gzip_decode(kFile, stored, out);
  });
}

ByteVector decoded(const ByteVector& stored) {
  ByteVector out(100);
  out.resize(gzip_decode(kFile, stored, out).written);
  return out;
}

/// A member with the flags and the optional header fields given.
ByteVector member_with(int flags, const ByteVector& fields) {
  const auto plain = gzip_member(kContent);
  const std::span<const std::byte> all(plain);
  auto member = joined({all.first(10), fields, all.subspan(10)});
  member[3] = static_cast<std::byte>(flags);
  return member;
}

TEST(Gzip, SkipsOptionalHeaderFields) {
  EXPECT_EQ(decoded(member_with(4, make_bytes({3, 0, 'a', 'b', 'c'}))), kContent) << "extra field";
  EXPECT_EQ(decoded(member_with(8, make_bytes({'n', 'a', 'm', 'e', 0}))), kContent) << "file name";
  EXPECT_EQ(decoded(member_with(16, make_bytes({'n', 'o', 't', 'e', 0}))), kContent) << "comment";
  EXPECT_EQ(decoded(member_with(4 + 8 + 16, make_bytes({0, 0, 'n', 0, 0}))), kContent) << "all";
  EXPECT_EQ(decoded(member_with(1, {})), kContent) << "the mark of text";
}

TEST(Gzip, ChecksAHeaderCrc) {
  auto member = member_with(2, make_bytes({0, 0}));
  const auto crc = libdeflate_crc32(0, member.data(), 10) & 0xffff;
  EXPECT_EQ(
      error_of(member),
      "a.gz: broken gzip: byte 10 of the compressed file: expected header CRC 0x" +
          [&] {
            char digits[8];
            std::snprintf(digits, sizeof digits, "%04x", static_cast<unsigned>(crc));
            return std::string(digits);
          }() +
          ", found 0x0000");
  member[10] = static_cast<std::byte>(crc & 0xff);
  member[11] = static_cast<std::byte>(crc >> 8);
  EXPECT_EQ(decoded(member), kContent);
}

TEST(Gzip, NamesAHeaderThatDoesNotEnd) {
  const auto head = make_bytes({0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3});
  EXPECT_EQ(error_of(joined({head, make_bytes("a name without end")})),
            "a.gz: broken gzip: byte 28 of the compressed file: expected the rest of a gzip "
            "header, found the end "
            "of the file");
  auto extra = joined({head, make_bytes({0xff, 0xff}), ByteVector(20)});
  extra[3] = std::byte{4};
  EXPECT_EQ(error_of(extra),
            "a.gz: broken gzip: byte 32 of the compressed file: expected the rest of a gzip "
            "header, found the end "
            "of the file");
}

TEST(Gzip, NamesAnUnknownMethodAndFlags) {
  auto member = gzip_member(kContent);
  member[2] = std::byte{7};
  EXPECT_EQ(
      error_of(member),
      "a.gz: broken gzip: byte 2 of the compressed file: expected compression method 8, found 7");
  member = gzip_member(kContent);
  member[3] = std::byte{0x40};
  EXPECT_EQ(
      error_of(member),
      "a.gz: broken gzip: byte 3 of the compressed file: expected no reserved flag, found 0x40");
}

TEST(Gzip, NamesAWrongChecksum) {
  auto member = gzip_member(kContent);
  const auto at = member.size() - 8;
  for (std::size_t i = 0; i < 4; ++i) member[at + i] = std::byte{0};
  const auto message = error_of(member);
  EXPECT_TRUE(message.starts_with("a.gz: broken gzip: byte " + std::to_string(at) +
                                  " of the compressed file: expected CRC-32 "))
      << message;
  EXPECT_TRUE(message.ends_with(" of the decoded content, found 00000000")) << message;
}

TEST(Gzip, NamesAWrongSize) {
  auto member = gzip_member(kContent);
  const auto at = member.size() - 4;
  member[at] = std::byte{0xff};
  EXPECT_EQ(error_of(member),
            "a.gz: broken gzip: byte " + std::to_string(at) +
                " of the compressed file: expected a decoded size of 29 bytes, found 255");
}

TEST(Gzip, NamesABrokenStream) {
  auto member = gzip_member(kContent);
  member[10] = std::byte{0x07};  // a block of the reserved type
  EXPECT_EQ(error_of(member),
            "a.gz: broken gzip: byte 10 of the compressed file: expected a whole deflate stream, "
            "found one that is "
            "corrupt or cut short at byte " +
                std::to_string(member.size()));
}

TEST(Gzip, NamesAFileThatIsTooShortToBeOne) {
  EXPECT_EQ(error_of(make_bytes({0x1f, 0x8b, 8})),
            "a.gz: broken gzip: byte 3 of the compressed file: expected a gzip member of at least "
            "20 bytes, found the "
            "end of the file");
}

TEST(Gzip, MayBeFilledUpWithZeros) {
  const auto member = gzip_member(kContent);
  for (const std::size_t zeros : {1, 7, 10'240}) {
    const ByteVector padding(zeros);
    EXPECT_EQ(decoded(joined({member, padding})), kContent) << zeros;
    EXPECT_EQ(decoded(joined({member, member, padding})), joined({kContent, kContent})) << zeros;
    // With no room left it is the end all the same.
    ByteVector out(kContent.size());
    EXPECT_FALSE(gzip_decode(kFile, joined({member, padding}), out).more) << zeros;
  }
  EXPECT_NE(error_of(ByteVector(100)), "") << "nothing but zeros";
}

TEST(Gzip, NamesWhatFollowsTheLastMember) {
  const auto member = gzip_member(kContent);
  const auto expected = "a.gz: broken gzip: byte " + std::to_string(member.size()) +
                        " of the compressed file: expected the end, zeros up to it or another gzip "
                        "member, found ";
  EXPECT_EQ(error_of(joined({member, make_bytes("a tail")})),
            expected + "6 bytes that begin with 61 instead of 1f 8b");
  EXPECT_EQ(error_of(joined({member, make_bytes({0, 0, 1})})),
            expected + "3 bytes that begin with 00 instead of 1f 8b");
  EXPECT_EQ(
      error_of(joined({member, ByteVector(10), member})),
      expected + std::to_string(member.size() + 10) + " bytes that begin with 00 instead of 1f 8b");
}

TEST(Gzip, ALyingSizeCannotCostMoreMemoryThanDeflateCouldFill) {
  auto member = gzip_member(kContent);
  for (std::size_t i = member.size() - 4; i < member.size(); ++i) member[i] = std::byte{0xff};
  const auto size = gzip_content_size(kFile, member);
  EXPECT_EQ(size.most, 1032 * member.size());
  EXPECT_EQ(size.guess, size.most);
  EXPECT_FALSE(size.exact);
}

// The densest that libdeflate makes comes close to the bound, and stays below.
TEST(Gzip, TheBoundHoldsForTheDensestStream) {
  const ByteVector zeros(50'000'000);
  const auto member = gzip_member(zeros, 12);
  const auto most = gzip_content_size(kFile, member).most;
  EXPECT_GE(most, zeros.size());
  EXPECT_LT(most, zeros.size() + zeros.size() / 10);
}

}  // namespace
}  // namespace millrace
