#include "formats/bytes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <new>
#include <utility>

#include "tests/support/files.h"

namespace millrace {
namespace {

using test::make_bytes;
using test::TempFolder;
using test::write_bytes;

TEST(Bytes, AreEmptyAtFirst) {
  Bytes none;
  EXPECT_EQ(none.size(), 0U);
  EXPECT_TRUE(none.writable().empty());
  EXPECT_FALSE(none.mapped());
}

TEST(Bytes, OfAMappingCannotBeWritten) {
  const TempFolder folder;
  const auto content = make_bytes("content");
  Bytes bytes(MappedFile(write_bytes(folder / "a", content)));
  EXPECT_TRUE(bytes.mapped());
  EXPECT_TRUE(std::ranges::equal(bytes.view(), content));
  EXPECT_TRUE(bytes.writable().empty());
}

TEST(Bytes, AllocatedOnesCanBeWritten) {
  auto bytes = Bytes::allocate(5);
  EXPECT_FALSE(bytes.mapped());
  ASSERT_EQ(bytes.writable().size(), 5U);
  std::ranges::fill(bytes.writable(), std::byte{9});
  EXPECT_EQ(std::ranges::count(bytes.view(), std::byte{9}), 5);
}

TEST(Bytes, AllocatesNothingToo) {
  const auto bytes = Bytes::allocate(0);
  EXPECT_EQ(bytes.size(), 0U);
}

TEST(Bytes, AlignsWhatFollowsAHeader) {
  for (const std::size_t size : {100U, 5'000U, 9U << 20}) {
    for (const std::size_t header : {0U, 4U, 8U, 16U, 64U, 70U}) {
      auto bytes = Bytes::allocate(size, header);
      ASSERT_EQ(bytes.size(), size);
      const auto address = reinterpret_cast<std::uintptr_t>(bytes.view().data()) + header;
      EXPECT_EQ(address % 64, 0U) << size << ' ' << header;
      bytes.writable().front() = std::byte{1};
      bytes.writable().back() = std::byte{1};  // the sanitizer sees an allocation that is too small
    }
  }
}

TEST(Bytes, TooManyAreBadAlloc) {
  EXPECT_THROW(Bytes::allocate(std::numeric_limits<std::size_t>::max() - 1), std::bad_alloc);
}

TEST(Bytes, Truncate) {
  auto bytes = Bytes::allocate(10);
  bytes.truncate(3);
  EXPECT_EQ(bytes.size(), 3U);
  EXPECT_EQ(bytes.writable().size(), 3U);
}

TEST(Bytes, MoveHandsOver) {
  const TempFolder folder;
  const auto content = make_bytes("content");
  Bytes mapped(MappedFile(write_bytes(folder / "a", content)));
  auto target = Bytes::allocate(10);
  target = std::move(mapped);
  EXPECT_EQ(mapped.size(), 0U);  // NOLINT(bugprone-use-after-move): what is promised of it
  EXPECT_TRUE(target.mapped());
  EXPECT_TRUE(std::ranges::equal(target.view(), content));
  target = Bytes::allocate(4);
  EXPECT_FALSE(target.mapped());
  const Bytes last(std::move(target));
  EXPECT_EQ(last.size(), 4U);
}

}  // namespace
}  // namespace millrace
