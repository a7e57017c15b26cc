// What both codecs promise, tried on each.
#include "formats/codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <random>
#include <string>

#include "tests/support/compressed.h"
#include "tests/support/files.h"

namespace millrace {
namespace {

using test::ByteVector;
using test::data_error_of;
using test::joined;

const std::filesystem::path kFile = "file";

struct Codec {
  std::string name;
  ContentSize (*content_size)(const std::filesystem::path&, std::span<const std::byte>);
  Decoded (*decode)(const std::filesystem::path&, std::span<const std::byte>, std::span<std::byte>);
  ByteVector (*encode)(std::span<const std::byte>, int level);
};

void PrintTo(const Codec& codec, std::ostream* out) { *out << codec.name; }

const Codec kGzip{"gzip", gzip_content_size, gzip_decode, test::gzip_member};
const Codec kZstd{"zstd", zstd_content_size, zstd_decode,
                  [](std::span<const std::byte> content, int level) {
                    return test::zstd_frame(content, {.level = level});
                  }};
const Codec kZstdUnsized{"zstd_unsized", zstd_content_size, zstd_decode,
                         [](std::span<const std::byte> content, int level) {
                           return test::zstd_frame(content,
                                                   {.content_size = false, .level = level});
                         }};

enum class Kind { kZeros, kText, kNoise };

ByteVector content_of(Kind kind, std::size_t size) {
  ByteVector bytes(size);
  std::mt19937 random(size);
  for (std::size_t i = 0; i < size; ++i) {
    if (kind == Kind::kText) bytes[i] = static_cast<std::byte>("the mill race "[(i * i / 7) % 14]);
    if (kind == Kind::kNoise) bytes[i] = static_cast<std::byte>(random());
  }
  return bytes;
}

class CodecTest : public testing::TestWithParam<Codec> {
 protected:
  /// Decodes to exactly `size` bytes of memory, so that the sanitizer sees a byte too many.
  std::pair<Decoded, ByteVector> decode(std::span<const std::byte> in, std::size_t size) const {
    ByteVector out(size);
    const auto decoded = GetParam().decode(kFile, in, out);
    return {decoded, out};
  }
};

TEST_P(CodecTest, GivesBackWhatWentIn) {
  for (const auto kind : {Kind::kZeros, Kind::kText, Kind::kNoise}) {
    for (const std::size_t size : {0U, 1U, 13U, 1000U, 70'000U, 1'000'001U}) {
      for (const int level : {1, 6, 12}) {
        const auto content = content_of(kind, size);
        const auto stored = GetParam().encode(content, level);
        const auto bounds = GetParam().content_size(kFile, stored);
        EXPECT_GE(bounds.most, size);
        EXPECT_LE(bounds.guess, bounds.most);
        EXPECT_EQ(bounds.exact.value_or(size), size);
        const auto [decoded, out] = decode(stored, size);
        EXPECT_FALSE(decoded.more);
        EXPECT_EQ(decoded.written, size);
        EXPECT_TRUE(out == content) << size << ' ' << level;
      }
    }
  }
}

TEST_P(CodecTest, WritesNoMoreThanThereIs) {
  const auto content = content_of(Kind::kText, 1000);
  const auto [decoded, out] = decode(GetParam().encode(content, 6), 5000);
  EXPECT_FALSE(decoded.more);
  EXPECT_EQ(decoded.written, 1000U);
  EXPECT_TRUE(std::equal(content.begin(), content.end(), out.begin()));
}

TEST_P(CodecTest, SaysWhenThereIsMore) {
  for (const auto kind : {Kind::kZeros, Kind::kText, Kind::kNoise}) {
    const auto content = content_of(kind, 1000);
    const auto stored = GetParam().encode(content, 6);
    EXPECT_TRUE(decode(stored, 999).first.more);
    EXPECT_TRUE(decode(stored, 0).first.more);
  }
}

// EncodedFile::peek stands on this, and for gzip no documentation of libdeflate promises it.
TEST_P(CodecTest, AFullBufferHoldsTheBeginning) {
  for (const auto kind : {Kind::kZeros, Kind::kText, Kind::kNoise}) {
    for (const int level : {1, 6, 12}) {
      const auto content = content_of(kind, 500'000);
      const auto stored = GetParam().encode(content, level);
      for (const std::size_t wanted : {4U, 16U, 1024U, 33'000U}) {
        const auto [decoded, out] = decode(stored, wanted + kDecodeSlack);
        EXPECT_TRUE(decoded.more);
        EXPECT_TRUE(std::equal(content.begin(), content.begin() + wanted, out.begin()))
            << wanted << ' ' << level;
      }
    }
  }
}

TEST_P(CodecTest, AFullBufferHoldsTheBeginningAcrossParts) {
  const auto content = content_of(Kind::kText, 200'000);
  ByteVector stored;
  const std::span<const std::byte> all(content);
  for (const auto part : {all.first(3), all.subspan(3, 9), all.subspan(12, 0), all.subspan(12)}) {
    stored = joined({stored, GetParam().encode(part, 6)});
  }
  const auto [decoded, out] = decode(stored, 16 + kDecodeSlack);
  EXPECT_TRUE(decoded.more);
  EXPECT_TRUE(std::equal(content.begin(), content.begin() + 16, out.begin()));
}

TEST_P(CodecTest, ReadsPartsOneAfterTheOther) {
  const auto one = content_of(Kind::kText, 5000);
  const auto two = content_of(Kind::kNoise, 300);
  const auto stored =
      joined({GetParam().encode(one, 6), GetParam().encode({}, 6), GetParam().encode(two, 6)});
  EXPECT_GE(GetParam().content_size(kFile, stored).most, 5300U);
  const auto [decoded, out] = decode(stored, 5300);
  EXPECT_FALSE(decoded.more);
  EXPECT_EQ(decoded.written, 5300U);
  EXPECT_TRUE(out == joined({one, two}));
  EXPECT_TRUE(decode(stored, 5299).first.more);
}

/// Whatever is wrong with a file, it is an error, and neither a crash nor other content.
TEST_P(CodecTest, FindsEveryTruncation) {
  const auto content = content_of(Kind::kText, 600);
  const auto stored = GetParam().encode(content, 6);
  for (std::size_t size = 1; size < stored.size(); ++size) {
    // In its own memory, so that the sanitizer sees reads past the end.
    const ByteVector cut(stored.begin(), stored.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_NE(data_error_of([&] {
                GetParam().content_size(kFile, cut);
                // A cut deflate stream may seem to go on for some bytes, as EncodedFile::take
                // knows.
                decode(cut, 600 + kDecodeSlack);
              }),
              "")
        << size;
  }
}

TEST_P(CodecTest, NeverTakesADamagedFileForOtherContent) {
  const auto content = content_of(Kind::kText, 600);
  const auto stored = GetParam().encode(content, 6);
  std::size_t found = 0;
  for (std::size_t at = 0; at < stored.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      auto damaged = stored;
      damaged[at] ^= static_cast<std::byte>(1 << bit);
      try {
        GetParam().content_size(kFile, damaged);
        const auto [decoded, out] = decode(damaged, 600);
        // Some bits mean nothing for the content: gzip's time stamp, zstd's frame that is now
        // skippable.
        if (decoded.more || decoded.written != 600) {
          ++found;
        } else {
          EXPECT_TRUE(out == content) << at << ' ' << bit;
        }
      } catch (const DataError& error) {
        ++found;
        EXPECT_TRUE(std::string(error.what()).starts_with("file: broken ")) << error.what();
      }
    }
  }
  EXPECT_GT(found, 8 * (stored.size() - 12));
}

TEST_P(CodecTest, RefusesGarbageBehindTheEnd) {
  const auto content = content_of(Kind::kText, 600);
  const auto stored = GetParam().encode(content, 6);
  constexpr std::byte kOdd{0x55};
  for (const auto& garbage :
       {test::make_bytes({1}), test::make_bytes("garbage behind the end"), ByteVector(512, kOdd)}) {
    const auto bytes = joined({stored, garbage});
    const auto message = data_error_of([&] {
      GetParam().content_size(kFile, bytes);
      decode(bytes, 600);
    });
    EXPECT_NE(message.find("byte " + std::to_string(stored.size()) + " of the compressed file"),
              std::string::npos)
        << message;
  }
}

INSTANTIATE_TEST_SUITE_P(Each, CodecTest, testing::Values(kGzip, kZstd, kZstdUnsized),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace millrace
