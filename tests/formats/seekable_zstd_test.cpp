#include "formats/seekable_zstd.h"

#include <gtest/gtest.h>
#include <xxhash.h>

#include <algorithm>

#include "formats/compression.h"
#include "tests/support/compressed.h"
#include "tests/support/files.h"
#include "tests/support/seekable.h"

namespace millrace {
namespace {

using test::ByteVector;
using test::data_error_of;
using test::FrameOptions;
using test::joined;
using test::pixels;
using test::TempFolder;
using test::write_bytes;
using test::zstd_frame;
using test::zstd_skippable;

/// A seekable file made of libzstd's own frames.
class Made {
 public:
  explicit Made(bool checksums = true) : table_(checksums) {}

  void add(std::span<const std::byte> content, FrameOptions options = {}) {
    add_stored(zstd_frame(content, options), content.size(),
               static_cast<std::uint32_t>(XXH64(content.data(), content.size(), 0)));
    content_ = joined({content_, content});
  }
  void add_stored(const ByteVector& frame, std::size_t content, std::uint32_t checksum) {
    table_.add(static_cast<std::uint32_t>(frame.size()), static_cast<std::uint32_t>(content),
               checksum);
    frames_ = joined({frames_, frame});
  }
  ByteVector file() const { return joined({frames_, table_.encode()}); }
  const ByteVector& content() const { return content_; }

 private:
  SeekTable table_;
  ByteVector frames_;
  ByteVector content_;
};

ByteVector decode_all(const ByteVector& file) {
  const std::filesystem::path path("f");
  const auto table = read_seek_table(path, file);
  ByteVector out(static_cast<std::size_t>(table->content_size()));
  decode_frames({path, file, *table}, out);
  return out;
}

Made many_frames() {
  Made made;
  for (std::uint32_t i = 0; i < 40; ++i) made.add(pixels(60'000 + i, i));
  return made;
}

TEST(SeekableZstd, DecodesAllFrames) {
  const auto made = many_frames();
  EXPECT_EQ(decode_all(made.file()), made.content());
}

TEST(SeekableZstd, DecodesSingleFramesInAnyOrder) {
  const auto made = many_frames();
  const auto file = made.file();
  const std::filesystem::path path("f");
  const auto table = read_seek_table(path, file);
  FrameDecoder decoder;
  for (const std::size_t i : {39U, 0U, 17U, 17U}) {
    const auto& frame = table->frames()[i];
    ByteVector out(frame.content);
    decoder.decode({path, file, *table}, i, out);
    EXPECT_TRUE(std::ranges::equal(
        out, std::span(made.content()).subspan(frame.content_at, frame.content)));
  }
}

TEST(SeekableZstd, TakesFramesOfOtherWriters) {
  for (const bool checksums : {true, false}) {
    Made made(checksums);
    made.add(pixels(1000), {.content_size = false, .checksum = false});
    made.add_stored(zstd_skippable(3, 20), 0, 0);
    made.add(pixels(2000, 7), {.content_size = true, .checksum = false});
    made.add({}, {});
    EXPECT_EQ(decode_all(made.file()), made.content());
  }
}

TEST(SeekableZstd, IsWhatEncodedFileReads) {
  const TempFolder folder;
  const auto made = many_frames();
  EncodedFile file(write_bytes(folder / "a", made.file()));
  EXPECT_EQ(file.content_size().exact, made.content().size());
  const auto head = file.peek(100'000);
  EXPECT_TRUE(std::ranges::equal(head, std::span(made.content()).first(100'000)));
  const auto bytes = std::move(file).take_all(1U << 30U);
  EXPECT_TRUE(std::ranges::equal(bytes.view(), made.content()));
}

TEST(SeekableZstd, NamesTheFirstBadFrame) {
  auto file = many_frames().file();
  const auto table = read_seek_table("f", file).value();
  for (const std::size_t bad : {31U, 12U}) {
    file[static_cast<std::size_t>(table.frames()[bad].stored_at) + 1000] ^= std::byte{4};
  }
  const auto& frame = table.frames()[12];
  const auto message = data_error_of([&] { decode_all(file); });
  EXPECT_TRUE(message.starts_with("f: broken frame 12 (byte " + std::to_string(frame.stored_at) +
                                  " of the compressed file, bytes " +
                                  std::to_string(frame.content_at) + " to " +
                                  std::to_string(frame.content_at + frame.content) +
                                  " of the content): expected a sound one, found "))
      << message;
}

TEST(SeekableZstd, RefusesATableThatLies) {
  const auto content = pixels(1000);
  const auto frame = zstd_frame(content);
  const auto bare = zstd_frame(content, {.content_size = false, .checksum = false});
  const auto sum = frame_checksum(content);
  const auto error_of = [](const ByteVector& stored, std::size_t size, std::uint32_t checksum) {
    Made made;
    made.add_stored(stored, size, checksum);
    return data_error_of([&] { decode_all(made.file()); });
  };
  EXPECT_NE(error_of(frame, 1000, sum ^ 1U).find("expected the checksum"), std::string::npos);
  EXPECT_NE(error_of(bare, 1000, sum ^ 1U).find("expected the checksum"), std::string::npos);
  EXPECT_NE(error_of(frame, 999, sum)
                .find("expected 999 bytes of content, as the seek table says, "
                      "found a header that says 1000"),
            std::string::npos);
  EXPECT_NE(error_of(frame, 1001, sum).find("expected 1001 bytes"), std::string::npos);
  EXPECT_NE(error_of(bare, 999, sum).find("expected a sound one, found"), std::string::npos);
  EXPECT_NE(error_of(ByteVector(40), 1000, sum).find("expected a zstd frame, found something else"),
            std::string::npos);
}

TEST(SeekableZstd, RefusesAFrameThatClaimsAnExbibyte) {
  // Magic number, descriptor with 8 bytes of content size and a window, that size, an empty block.
  const auto bomb = test::make_bytes(
      {0x28, 0xb5, 0x2f, 0xfd, 0xc0, 0x00, 0, 0, 0, 0, 0, 0, 0, 0x10, 0x01, 0x00, 0x00});
  Made made;
  made.add_stored(bomb, 1000, 0);
  EXPECT_NE(data_error_of([&] {
              decode_all(made.file());
            }).find("found a header that says 1152921504606846976"),
            std::string::npos);
}

TEST(SeekableZstd, WantsMemoryOfTheRightSize) {
  const auto file = many_frames().file();
  const std::filesystem::path path("f");
  const auto table = read_seek_table(path, file);
  ByteVector out(10);
  FrameDecoder decoder;
  EXPECT_THROW(decoder.decode({path, file, *table}, 0, out), std::invalid_argument);
  EXPECT_THROW(decode_frames({path, file, *table}, out), std::invalid_argument);
}

TEST(SeekableZstd, CountsThreads) {
  EXPECT_EQ(thread_count(5, 3), 3U);
  EXPECT_EQ(thread_count(5, 0), 1U);
  EXPECT_EQ(thread_count(5, 100), 5U);
  EXPECT_GE(thread_count(0, 100), 1U);
}

}  // namespace
}  // namespace millrace
