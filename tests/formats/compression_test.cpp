#include "formats/compression.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "tests/support/compressed.h"
#include "tests/support/files.h"

namespace millrace {
namespace {

using test::ByteVector;
using test::data_error_of;
using test::gzip_member;
using test::make_bytes;
using test::TempFolder;
using test::write_bytes;
using test::zstd_frame;

ByteVector counted(std::size_t size) {
  ByteVector bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i / 3);
  return bytes;
}

TEST(Compression, IsToldByTheFirstBytes) {
  EXPECT_EQ(compression_of(make_bytes({0x1f, 0x8b})), Compression::kGzip);
  EXPECT_EQ(compression_of(make_bytes({0x28, 0xb5, 0x2f, 0xfd})), Compression::kZstd);
  EXPECT_EQ(compression_of(make_bytes({0x50, 0x2a, 0x4d, 0x18})), Compression::kZstd);
  EXPECT_EQ(compression_of(make_bytes({0x5f, 0x2a, 0x4d, 0x18})), Compression::kZstd);
  EXPECT_EQ(compression_of(make_bytes({0x60, 0x2a, 0x4d, 0x18})), Compression::kNone);
  EXPECT_EQ(compression_of(make_bytes({0x28, 0xb5, 0x2f})), Compression::kNone);
  EXPECT_EQ(compression_of(make_bytes({0x1f})), Compression::kNone);
  EXPECT_EQ(compression_of({}), Compression::kNone);
}

TEST(Compression, OfANewFileIsToldByItsName) {
  EXPECT_EQ(compression_for("a/b.gz"), Compression::kGzip);
  EXPECT_EQ(compression_for("b.idx.zst"), Compression::kZstd);
  EXPECT_EQ(compression_for("a.gz/b"), Compression::kNone);
}

TEST(Compression, HasNames) {
  EXPECT_EQ(name_of(Compression::kNone), "none");
  EXPECT_EQ(name_of(Compression::kGzip), "gzip");
  EXPECT_EQ(name_of(Compression::kZstd), "zstd");
}

/// One content in each form a file can have.
class EncodedFileTest : public testing::TestWithParam<Compression> {
 protected:
  std::filesystem::path store(std::span<const std::byte> content) const {
    switch (GetParam()) {
      case Compression::kGzip:
        return write_bytes(folder_ / "file", gzip_member(content));
      case Compression::kZstd:
        return write_bytes(folder_ / "file", zstd_frame(content, {.content_size = false}));
      case Compression::kNone:
        break;
    }
    return write_bytes(folder_ / "file", content);
  }
  std::string named(const std::string& message) const {
    return (folder_ / "file").string() + ": " + message;
  }

  TempFolder folder_;
};

TEST_P(EncodedFileTest, KnowsItsForm) {
  const EncodedFile file(store(counted(100)));
  EXPECT_EQ(file.compression(), GetParam());
  EXPECT_GE(file.content_size().most, 100U);
}

TEST_P(EncodedFileTest, PeeksAtTheBeginning) {
  for (const std::size_t size : {10U, 1000U, 300'000U}) {
    const auto content = counted(size);
    const EncodedFile file(store(content));
    for (const std::size_t wanted : {0U, 4U, 999U, 1001U, 16U << 20U}) {
      const auto seen = file.peek(wanted);
      ASSERT_EQ(seen.size(), std::min(wanted, size));
      EXPECT_TRUE(std::equal(seen.begin(), seen.end(), content.begin()));
    }
  }
}

TEST_P(EncodedFileTest, DecodesToABuffer) {
  const auto content = counted(1000);
  const EncodedFile file(store(content));
  ByteVector out(1000);
  EXPECT_EQ(file.decode(out).written, 1000U);
  EXPECT_TRUE(out == content);
  EXPECT_TRUE(file.decode(std::span(out).first(999)).more);
}

TEST_P(EncodedFileTest, TakesWhatIsExactlyThere) {
  const auto content = counted(5000);
  const auto bytes = EncodedFile(store(content)).take(5000, "a thing", 16);
  EXPECT_TRUE(std::ranges::equal(bytes.view(), content));
  EXPECT_EQ(bytes.mapped(), GetParam() == Compression::kNone);
  if (GetParam() != Compression::kNone) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(bytes.view().data() + 16) % 64, 0U);
  }
}

TEST_P(EncodedFileTest, NamesContentThatIsTooShort) {
  EXPECT_EQ(data_error_of([&] { (void)EncodedFile(store(counted(500))).take(600, "a thing"); }),
            named("byte 500: expected 600 bytes (a thing), found the end of the content"));
}

TEST_P(EncodedFileTest, NamesContentThatIsTooLong) {
  EXPECT_EQ(data_error_of([&] { (void)EncodedFile(store(counted(500))).take(497, "a thing"); }),
            named("byte 497: expected the end of a thing, found 3 bytes more"));
}

TEST_P(EncodedFileTest, RefusesASizeThatTheFileCannotHoldBeforeAllocatingIt) {
  // 2^62 bytes: no machine has them, so that an attempt would be a failure of another kind.
  const auto message = data_error_of(
      [&] { (void)EncodedFile(store(counted(500))).take(std::uint64_t{1} << 62, "a thing"); });
  if (GetParam() == Compression::kNone) {
    EXPECT_EQ(message, named("byte 500: expected 4611686018427387904 bytes (a thing), found the "
                             "end of the content"));
  } else {
    EXPECT_TRUE(
        message.starts_with(named("expected 4611686018427387904 bytes (a thing), found a ")))
        << message;
    EXPECT_NE(message.find(", which can hold at most "), std::string::npos) << message;
  }
}

TEST_P(EncodedFileTest, TakesAllOfAnUnknownSize) {
  for (const std::size_t size : {0U, 1U, 5000U, 3'000'000U}) {
    const auto content = counted(size);
    const auto path = store(content);
    EXPECT_TRUE(std::ranges::equal(EncodedFile(path).take_all(size).view(), content))
        << "just within the limit";
    EXPECT_TRUE(
        std::ranges::equal(EncodedFile(path).take_all(std::uint64_t{1} << 40).view(), content));
    if (size > 0) {
      EXPECT_EQ(
          data_error_of([&] { (void)EncodedFile(path).take_all(size - 1); }),
          named("expected at most " + std::to_string(size - 1) + " bytes of content, found more"));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Each, EncodedFileTest,
                         testing::Values(Compression::kNone, Compression::kGzip,
                                         Compression::kZstd),
                         [](const auto& instance) { return std::string(name_of(instance.param)); });

TEST(EncodedFile, AnEmptyFileIsPlainAndEmpty) {
  const TempFolder folder;
  const EncodedFile file(write_bytes(folder / "a", {}));
  EXPECT_EQ(file.compression(), Compression::kNone);
  EXPECT_TRUE(file.peek(4).empty());
}

TEST(EncodedFile, TakesAllOfSeveralMembersWhoseLastOneIsSmall) {
  // The last member's size, all that gzip tells beforehand, is then a bad guess.
  const TempFolder folder;
  const auto content = counted(1'000'000);
  const auto path = write_bytes(folder / "a.gz",
                                test::joined({gzip_member(content), gzip_member(make_bytes("x"))}));
  EXPECT_EQ(EncodedFile(path).take_all(1 << 30).size(), 1'000'001U);
}

// The size in the last member's trailer is then not where it is looked for.
TEST(EncodedFile, TakesAllOfAFileThatIsFilledUpWithZeros) {
  const TempFolder folder;
  const auto content = counted(100'000);
  const auto path =
      write_bytes(folder / "a.gz", test::joined({gzip_member(content), ByteVector(10'240)}));
  EXPECT_TRUE(std::ranges::equal(EncodedFile(path).take(100'000, "them").view(), content));
  EXPECT_TRUE(std::ranges::equal(EncodedFile(path).take_all(1 << 30).view(), content));
}

TEST(EncodedFile, ABombCostsNoMoreThanTheLimit) {
  const TempFolder folder;
  const ByteVector zeros(64 << 20);
  const auto member = gzip_member(zeros, 12);
  ByteVector bomb;
  for (int i = 0; i < 64; ++i)
    bomb.insert(bomb.end(), member.begin(), member.end());  // 4 GiB from 4 MB
  const auto path = write_bytes(folder / "bomb.gz", bomb);
  EXPECT_EQ(EncodedFile(path).peek(16), ByteVector(16));
  EXPECT_EQ(data_error_of([&] { (void)EncodedFile(path).take_all(1'000'000); }),
            path.string() + ": expected at most 1000000 bytes of content, found more");
  EXPECT_EQ(data_error_of([&] { (void)EncodedFile(path).take(1'000'000, "a thing"); }),
            path.string() + ": byte 1000000: expected the end of a thing, found more");
}

TEST(EncodedFile, ATruncatedStreamIsBrokenWhereverItIsCut) {
  // Never "too long": zeros behind a cut can look like more content.
  const TempFolder folder;
  const auto content = counted(600);
  const auto stored = gzip_member(content);
  for (std::size_t size = 20; size < stored.size(); ++size) {
    const auto path = write_bytes(folder / "a.gz", std::span(stored).first(size));
    const auto message = data_error_of([&] { (void)EncodedFile(path).take(600, "a thing"); });
    EXPECT_TRUE(message.starts_with(path.string() + ": broken gzip: byte "))
        << size << ' ' << message;
  }
}

TEST(EncodedFile, NamesAMissingFile) {
  EXPECT_EQ(data_error_of([] { EncodedFile("/nowhere/a"); }),
            "/nowhere/a: cannot open: No such file or directory");
}

}  // namespace
}  // namespace millrace
