#include "formats/hash.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/files.h"

namespace millrace {
namespace {

using test::make_bytes;

// Digits printed by `xxhsum -H2`, an independent program.
TEST(Hash, GivesTheDigitsOfXxhsum) {
  EXPECT_EQ(hash_hex({}), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(hash_hex(make_bytes("millrace\n")), "bf019272f6d6b89ea76f20781cd4ac15");
}

TEST(Hash, StreamIsTheSameHoweverItIsCut) {
  test::ByteVector bytes(10'000);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * i % 251);
  const auto whole = hash_hex(bytes);
  for (const std::size_t piece : {1U, 7U, 64U, 256U, 1000U, 9999U, 10'000U}) {
    Hasher hasher;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      hasher.update(std::span(bytes).subspan(at, std::min(piece, bytes.size() - at)));
    }
    EXPECT_EQ(hasher.hex(), whole) << piece;
  }
}

TEST(Hash, MoreMayFollowAfterDigits) {
  Hasher hasher;
  hasher.update(make_bytes("mill"));
  EXPECT_EQ(hasher.hex(), hash_hex(make_bytes("mill")));
  hasher.update(make_bytes("race"));
  EXPECT_EQ(hasher.hex(), hash_hex(make_bytes("millrace")));
}

TEST(Hash, EmptyUpdatesChangeNothing) {
  Hasher hasher;
  hasher.update(std::span<const std::byte>{});
  EXPECT_EQ(hasher.hex(), hash_hex({}));
}

TEST(Hash, TakesValuesOfAnyPlainType) {
  const std::vector<float> values{1.0F, -2.5F};
  Hasher hasher;
  hasher.update(std::span<const float>(values));
  EXPECT_EQ(hasher.hex(), hash_hex(test::bytes_of(values)));
}

TEST(Hash, OneBitChangesIt) {
  const test::ByteVector bytes(300);
  const auto before = hash_hex(bytes);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto changed = bytes;
    changed[i] ^= std::byte{1};
    EXPECT_NE(hash_hex(changed), before) << i;
  }
}

}  // namespace
}  // namespace millrace
