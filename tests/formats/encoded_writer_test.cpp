#include "formats/encoded_writer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>

#include "formats/compression.h"
#include "tests/support/files.h"
#include "tests/support/limits.h"

namespace millrace {
namespace {

using test::ByteVector;
using test::data_error_of;
using test::make_bytes;
using test::TempFolder;
using test::write_bytes;

ByteVector content_of(std::size_t size) {
  ByteVector bytes(size);
  std::mt19937 random(size);
  for (auto& byte : bytes) byte = static_cast<std::byte>(random() % 17);
  return bytes;
}

void write_in_pieces(const std::filesystem::path& path, std::span<const std::byte> content,
                     std::size_t piece) {
  EncodedWriter writer(path, content.size());
  while (!content.empty()) {
    const auto size = std::min(piece, content.size());
    writer.write(content.first(size));
    content = content.subspan(size);
    EXPECT_EQ(writer.remaining(), content.size());
  }
  writer.commit();
}

ByteVector content_of_file(const std::filesystem::path& path) {
  const auto bytes = EncodedFile(path).take_all(std::uint64_t{1} << 32);
  return {bytes.view().begin(), bytes.view().end()};
}

class EncodedWriterTest : public testing::TestWithParam<const char*> {
 protected:
  std::filesystem::path path() const { return folder_ / (std::string("file") + GetParam()); }
  TempFolder folder_;
};

TEST_P(EncodedWriterTest, WhatIsWrittenCanBeRead) {
  for (const std::size_t size : {0U, 1U, 1000U, 1'000'000U}) {
    const auto content = content_of(size);
    for (const std::size_t piece : {7U, 70'000U, 10'000'000U}) {
      if (size / piece > 10'000) continue;
      write_in_pieces(path(), content, piece);
      EXPECT_TRUE(content_of_file(path()) == content) << size << ' ' << piece;
    }
  }
  EXPECT_EQ(EncodedFile(path()).compression(), compression_for(path()));
}

TEST_P(EncodedWriterTest, TakesALevel) {
  const auto content = content_of(300'000);
  const auto size_at = [&](int level) {
    EncodedWriter writer(path(), content.size(), level);
    writer.write(content);
    writer.commit();
    EXPECT_TRUE(content_of_file(path()) == content);
    return std::filesystem::file_size(path());
  };
  const bool compressed = compression_for(path()) != Compression::kNone;
  EXPECT_EQ(size_at(1) != size_at(12), compressed);
  if (compressed) {
    EXPECT_THROW(EncodedWriter(path(), 1, 0), std::invalid_argument);
    EXPECT_THROW(EncodedWriter(path(), 1, 23), std::invalid_argument);
  }
}

TEST_P(EncodedWriterTest, AppearsWithCommit) {
  {
    EncodedWriter writer(path(), 3);
    writer.write(make_bytes("abc"));
    EXPECT_FALSE(std::filesystem::exists(path()));
  }
  EXPECT_TRUE(folder_.names().empty());
}

TEST_P(EncodedWriterTest, HoldsToItsSize) {
  EncodedWriter writer(path(), 3);
  EXPECT_THROW(writer.write(make_bytes("abcd")), std::invalid_argument);
  writer.write(make_bytes("ab"));
  EXPECT_THROW(writer.commit(), std::logic_error);
  writer.write(make_bytes("c"));
  writer.commit();
  EXPECT_EQ(content_of_file(path()), make_bytes("abc"));
}

TEST_P(EncodedWriterTest, FinishLeavesOnlyTheNameToCommit) {
  EncodedWriter writer(path(), 3);
  EXPECT_THROW(writer.finish(), std::logic_error);
  writer.write(make_bytes("abc"));
  writer.finish();
  EXPECT_FALSE(std::filesystem::exists(path()));
  const test::FileSizeLimit limit(0);  // nothing is left to be written
  writer.commit();
  EXPECT_EQ(content_of_file(path()), make_bytes("abc"));
}

TEST_P(EncodedWriterTest, AFullDiskLeavesTheOlderFile) {
  write_bytes(path(), make_bytes("old"));
  const test::FileSizeLimit limit(5'000);
  const auto message =
      data_error_of([&] { write_in_pieces(path(), content_of(1'000'000), 100'000); });
  EXPECT_TRUE(message.starts_with(path().string() + ": cannot write ")) << message;
  EXPECT_TRUE(message.ends_with("File too large")) << message;
  EXPECT_EQ(test::read_bytes(path()), make_bytes("old"));
  EXPECT_EQ(folder_.names().size(), 1U);
}

TEST_P(EncodedWriterTest, MoveHandsOver) {
  EncodedWriter first(path(), 2);
  first.write(make_bytes("a"));
  EncodedWriter second(std::move(first));
  second.write(make_bytes("b"));
  second.commit();
  EXPECT_EQ(content_of_file(path()), make_bytes("ab"));
}

INSTANTIATE_TEST_SUITE_P(Each, EncodedWriterTest, testing::Values("", ".gz", ".zst"),
                         [](const auto& instance) {
                           const std::string extension = instance.param;
                           return extension.empty() ? std::string("plain") : extension.substr(1);
                         });

TEST(EncodedWriter, ZstdSaysItsSize) {
  const TempFolder folder;
  write_in_pieces(folder / "a.zst", content_of(5000), 100);
  EXPECT_EQ(EncodedFile(folder / "a.zst").content_size().exact, 5000U);
}

TEST(EncodedWriter, GzipIsCutIntoMembersOf64MiB) {
  const TempFolder folder;
  const std::size_t size = (std::size_t{64} << 20) + 5;
  ByteVector content(size, std::byte{1});
  content.back() = std::byte{2};
  write_in_pieces(folder / "a.gz", content, std::size_t{50} << 20);
  EXPECT_EQ(EncodedFile(folder / "a.gz").content_size().guess, 5U) << "the last member's size";
  EXPECT_TRUE(content_of_file(folder / "a.gz") == content);
}

}  // namespace
}  // namespace millrace
