#include "formats/random_content.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <thread>

#include "formats/error.h"
#include "formats/seekable_writer.h"
#include "tests/support/compressed.h"
#include "tests/support/files.h"
#include "tests/support/seekable.h"

namespace millrace {
namespace {

using test::ByteVector;
using test::data_error_of;

class RandomContentTest : public testing::Test {
 protected:
  /// Frames of 1000 bytes, a few odd ones among them.
  std::filesystem::path write_frames() const {
    SeekableWriter writer(folder_ / "a.zst");
    auto rest = std::span(content_);
    for (const std::size_t size : {1U, 999U, 3U}) {
      writer.append({rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(size)});
      rest = rest.subspan(size);
    }
    while (!rest.empty()) {
      const auto frame = rest.first(std::min<std::size_t>(1000, rest.size()));
      writer.append({frame.begin(), frame.end()});
      rest = rest.subspan(frame.size());
    }
    writer.commit();
    return folder_ / "a.zst";
  }

  void expect_any_piece(const RandomContent& content) const {
    ASSERT_EQ(content.size(), content_.size());
    ContentReader reader(content);
    std::uint64_t state = 1;
    for (int i = 0; i < 300; ++i) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      const auto at = (state >> 33U) % (content_.size() + 1);
      const auto most = std::min<std::uint64_t>(content_.size() - at, i % 10 == 0 ? 5000 : 700);
      const auto count = static_cast<std::size_t>((state >> 20U) % (most + 1));
      EXPECT_TRUE(
          std::ranges::equal(reader.bytes(at, count), std::span(content_).subspan(at, count)))
          << at << ", " << count;
    }
    EXPECT_TRUE(std::ranges::equal(reader.bytes(0, content_.size()), content_));
    EXPECT_TRUE(reader.bytes(content_.size(), 0).empty());
    EXPECT_THROW((void)reader.bytes(content_.size(), 1), std::out_of_range);
    EXPECT_THROW((void)reader.bytes(1, content_.size()), std::out_of_range);
    EXPECT_THROW((void)reader.bytes(~std::uint64_t{0}, 2), std::out_of_range);
  }

  test::TempFolder folder_;
  ByteVector content_ = test::pixels(20'500);
};

TEST_F(RandomContentTest, GivesAnyPieceOfAnyForm) {
  const auto path = write_frames();
  const RandomContent by_frames(path, true);
  EXPECT_TRUE(by_frames.by_frames());
  EXPECT_EQ(RandomContent::seekable_size(path), content_.size());
  expect_any_piece(by_frames);
  const RandomContent whole(path, false);
  EXPECT_FALSE(whole.by_frames());
  expect_any_piece(whole);
  for (const auto& [name, bytes] :
       {std::pair{"plain", content_}, std::pair{"b.gz", test::gzip_member(content_)},
        std::pair{"c.zst", test::zstd_frame(content_)}}) {
    const auto other = test::write_bytes(folder_ / name, bytes);
    EXPECT_EQ(RandomContent::seekable_size(other), std::nullopt);
    const RandomContent content(other, true);
    EXPECT_FALSE(content.by_frames());
    expect_any_piece(content);
  }
}

TEST_F(RandomContentTest, ServesManyThreads) {
  const RandomContent content(write_frames(), true);
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 3; ++i) expect_any_piece(content);
    });
  }
}

TEST_F(RandomContentTest, NamesABrokenFrameAndReadsTheOthers) {
  const auto path = write_frames();
  auto file = test::read_bytes(path);
  const auto table = read_seek_table(path, file).value();
  const auto& broken = table.frames()[7];
  file[static_cast<std::size_t>(broken.stored_at) + broken.stored / 2] ^= std::byte{1};
  const RandomContent content(test::write_bytes(path, file), true);
  ContentReader reader(content);
  for (int i = 0; i < 2; ++i) {
    const auto message =
        data_error_of([&] { (void)reader.bytes(broken.content_at + broken.content - 1, 2); });
    EXPECT_TRUE(message.starts_with(path.string())) << message;
    EXPECT_NE(message.find("broken frame 7 "), std::string::npos) << message;
    const auto after = broken.content_at + broken.content;
    EXPECT_TRUE(
        std::ranges::equal(reader.bytes(after, 500), std::span(content_).subspan(after, 500)));
  }
}

TEST_F(RandomContentTest, DecodesAFileOfOneHugeFrameWhole) {
  const ByteVector zeros(std::size_t{RandomContent::kMostFrame} + 1);
  SeekableWriter writer(folder_ / "a.zst");
  writer.append(zeros);
  writer.append(content_);
  writer.commit();
  EXPECT_EQ(RandomContent::seekable_size(folder_ / "a.zst"), std::nullopt);
  EXPECT_FALSE(RandomContent(folder_ / "a.zst", true).by_frames());
}

TEST(ContentReader, ReadsMemoryWithoutCopying) {
  const auto bytes = test::pixels(100);
  ContentReader reader(bytes);
  EXPECT_EQ(reader.size(), 100U);
  EXPECT_EQ(reader.bytes(7, 20).data(), &bytes[7]);
  EXPECT_THROW((void)reader.bytes(90, 11), std::out_of_range);
}

}  // namespace
}  // namespace millrace
