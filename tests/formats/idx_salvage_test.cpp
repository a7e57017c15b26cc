#include "formats/idx_salvage.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "formats/seek_table.h"
#include "tests/support/compressed.h"
#include "tests/support/files.h"
#include "tests/support/idx_files.h"
#include "tests/support/seekable.h"

namespace millrace {
namespace {

using test::ByteVector;
using test::read_bytes;
using test::TempFolder;
using test::write_bytes;
using test::write_seekable;

class IdxSalvageTest : public testing::Test {
 protected:
  /// Every sample that counts as sound has the bytes that were written; returns how many there are.
  std::uint64_t expect_sound_samples(const SalvagedIdx& salvaged, const ByteVector& content,
                                     std::size_t head, std::size_t sample_bytes) const {
    std::uint64_t sound = 0;
    salvaged.read([&](std::uint64_t first, std::span<const std::byte> bytes) {
      EXPECT_EQ(bytes.size() % sample_bytes, 0U);
      for (std::size_t i = 0; i < bytes.size() / sample_bytes; ++i) {
        EXPECT_TRUE(salvaged.sound().at(static_cast<std::size_t>(first) + i));
        ++sound;
      }
      EXPECT_TRUE(std::ranges::equal(
          bytes, std::span(content).subspan(head + first * sample_bytes, bytes.size())))
          << first;
    });
    EXPECT_EQ(std::ranges::count(salvaged.sound(), true), static_cast<std::ptrdiff_t>(sound));
    return sound;
  }

  TempFolder folder_;
  std::filesystem::path path_ = folder_ / "a.zst";
};

TEST_F(IdxSalvageTest, FindsNothingWrongWithSoundFilesOfAnyForm) {
  const auto content = write_seekable(path_, {1000, 28, 28});
  write_bytes(folder_ / "plain", content);
  write_bytes(folder_ / "gzip", test::gzip_member(content));
  write_bytes(folder_ / "zstd", test::zstd_frame(content));
  for (const auto& [name, form] : std::vector<std::pair<std::string, std::string>>{
           {"a.zst", "seekable zstd"}, {"plain", "plain"}, {"gzip", "gzip"}, {"zstd", "zstd"}}) {
    const SalvagedIdx salvaged(folder_ / name);
    EXPECT_TRUE(salvaged.faults().empty()) << name << ": " << salvaged.faults()[0].what;
    EXPECT_EQ(salvaged.form(), form);
    EXPECT_EQ(salvaged.samples(), 1000U);
    EXPECT_EQ(expect_sound_samples(salvaged, content, 16, 784), 1000U);
  }
}

TEST_F(IdxSalvageTest, NamesTheSamplesOfABrokenFrame) {
  const auto content = write_seekable(path_, {1000, 28, 28});
  auto file = read_bytes(path_);
  const auto table = read_seek_table(path_, file).value();
  file[static_cast<std::size_t>(table.frames()[2].stored_at) + 90] ^= std::byte{2};
  const SalvagedIdx salvaged(write_bytes(path_, file));
  ASSERT_EQ(salvaged.faults().size(), 1U);
  EXPECT_EQ(salvaged.faults()[0].samples, (SampleRange{334, 334}));
  EXPECT_TRUE(salvaged.faults()[0].what.starts_with(
      "frame 2 (byte " + std::to_string(table.frames()[2].stored_at) + " of the compressed file)"))
      << salvaged.faults()[0].what;
  EXPECT_EQ(expect_sound_samples(salvaged, content, 16, 784), 666U);
  EXPECT_EQ(lost_ranges(salvaged.sound()), (std::vector<SampleRange>{{334, 334}}));
}

TEST_F(IdxSalvageTest, LosesOnlyTheBrokenFrameWithoutATableToo) {
  const auto content = write_seekable(path_, {1000, 28, 28});
  auto file = read_bytes(path_);
  const auto table = read_seek_table(path_, file).value();
  file[static_cast<std::size_t>(table.frames()[2].stored_at) + 90] ^= std::byte{2};
  file.back() ^= std::byte{2};
  const SalvagedIdx salvaged(write_bytes(path_, file));
  EXPECT_EQ(salvaged.faults().size(), 2U);
  EXPECT_EQ(expect_sound_samples(salvaged, content, 16, 784), 666U);
  EXPECT_EQ(lost_ranges(salvaged.sound()), (std::vector<SampleRange>{{334, 334}}));
}

TEST_F(IdxSalvageTest, TakesWholeSamplesOfAPlainFileThatIsCut) {
  const auto content = test::small_images(20);
  write_bytes(path_, std::span(content).first(16 + 6 * 7 + 5));
  const SalvagedIdx salvaged(path_);
  ASSERT_EQ(salvaged.faults().size(), 1U);
  EXPECT_EQ(salvaged.faults()[0].samples, (SampleRange{7, 13}));
  EXPECT_EQ(expect_sound_samples(salvaged, content, 16, 6), 7U);
}

TEST_F(IdxSalvageTest, SwapsBytes) {
  const std::vector<float> values{1, 2, 3, 4, 5, 6};
  SeekableIdxWriter writer(path_, {DType::kFloat32, {3, 2}});
  writer.append(test::bytes_of(values));
  writer.commit();
  const SalvagedIdx salvaged(path_);
  salvaged.read([&](std::uint64_t first, std::span<const std::byte> bytes) {
    EXPECT_EQ(first, 0U);
    EXPECT_TRUE(std::ranges::equal(bytes, test::bytes_of(values)));
  });
}

TEST_F(IdxSalvageTest, SaysThatNothingIsLeft) {
  for (const auto& bytes :
       {ByteVector{}, test::make_bytes("not an IDX file"),
        test::gzip_member(test::make_bytes("nor this")), test::idx_header(8, {0xffffffff, 0})}) {
    const SalvagedIdx salvaged(write_bytes(path_, bytes));
    EXPECT_EQ(salvaged.samples(), 0U);
    salvaged.read([](auto, auto) { FAIL(); });
  }
  EXPECT_EQ(SalvagedIdx(write_bytes(path_, test::make_bytes("text"))).faults().size(), 1U);
}

TEST_F(IdxSalvageTest, DescribesRanges) {
  EXPECT_EQ(describe(SampleRange{7, 1}), "sample 7");
  EXPECT_EQ(describe(SampleRange{7, 3}), "samples 7 to 9");
  EXPECT_EQ(lost_ranges({true, false, false, true, false}),
            (std::vector<SampleRange>{{1, 2}, {4, 1}}));
}

/// The bar for damage: whichever bit flips, wherever the file ends, it is found, and every sample
/// of another frame is salvaged.
class DamageTest : public IdxSalvageTest {
 protected:
  /// As SeekableIdxWriter writes it, but with smaller frames: many of them in a small file.
  DamageTest() {
    const IdxHeader header{DType::kUInt8, {kCount, 14, 14}};
    const auto data = test::pixels(kCount * kSample);
    SeekableWriter writer(path_);
    writer.append(encode_idx_header(header));
    for (auto rest = std::span(data); !rest.empty();) {
      const auto frame = rest.first(std::min(rest.size(), 60 * kSample));
      writer.append({frame.begin(), frame.end()});
      rest = rest.subspan(frame.size());
    }
    writer.commit();
    content_ = test::joined({encode_idx_header(header), data});
    file_ = read_bytes(path_);
    table_ = writer.table();
  }

  std::uint64_t samples_in(std::size_t frame) const {
    return frame == 0 ? 0 : table_.frames()[frame].content / kSample;
  }

  static constexpr std::uint32_t kCount = 500;
  static constexpr std::size_t kSample = 196;
  ByteVector content_;
  ByteVector file_;
  SeekTable table_;
};

TEST_F(DamageTest, EveryFlippedBitIsFound) {
  ASSERT_GT(file_.size(), 30'000U);
  std::size_t harmless = 0;
  std::size_t flips = 0;
  const auto flip_and_check = [&](std::size_t bit) {
    auto damaged = file_;
    damaged[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    const SalvagedIdx salvaged(write_bytes(path_, damaged));
    const auto sound = expect_sound_samples(salvaged, content_, 16, kSample);
    ++flips;
    if (salvaged.faults().empty()) {
      // A bit that no decoder reads, of the reserved ones inside a block: no byte of the content
      // may differ then.
      EXPECT_EQ(sound, kCount) << bit;
      ++harmless;
      return;
    }
    std::uint64_t lost = 0;
    for (std::size_t i = 1; i < table_.frames().size(); ++i) {
      const auto& frame = table_.frames()[i];
      if (bit / 8 >= frame.stored_at && bit / 8 < frame.stored_at + frame.stored) {
        lost = samples_in(i);
      }
    }
    EXPECT_TRUE(sound == kCount || sound == kCount - lost) << bit << ": " << sound;
    // What is lost is named.
    std::uint64_t named = 0;
    for (const auto& fault : salvaged.faults()) named += fault.samples.count;
    EXPECT_EQ(named, kCount - sound) << bit;
  };
  for (std::size_t bit = 0; bit < 8 * file_.size(); bit += 997) flip_and_check(bit);
  // And more of what holds everything together: the header's frame, the table.
  for (std::size_t bit = 0; bit < 8 * table_.frames()[1].stored_at; bit += 3) flip_and_check(bit);
  for (auto bit = 8 * static_cast<std::size_t>(table_.stored_size()); bit < 8 * file_.size();
       bit += 7) {
    flip_and_check(bit);
  }
  RecordProperty("harmless", static_cast<int>(harmless));
  EXPECT_LE(harmless, flips / 500) << flips << " flips";
}

TEST_F(DamageTest, EveryCutIsFound) {
  const auto check = [&](std::size_t size) {
    const SalvagedIdx salvaged(write_bytes(path_, std::span(file_).first(size)));
    EXPECT_FALSE(salvaged.faults().empty()) << size;
    const auto sound = expect_sound_samples(salvaged, content_, 16, kSample);
    std::uint64_t whole = 0;
    for (std::size_t i = 1; i < table_.frames().size(); ++i) {
      const auto& frame = table_.frames()[i];
      if (frame.stored_at + frame.stored <= size) whole += samples_in(i);
    }
    EXPECT_EQ(sound, whole) << size;
  };
  for (std::size_t size = 0; size < file_.size(); size += 10'007) check(size);
  for (auto size = static_cast<std::size_t>(table_.stored_size()) - 3; size < file_.size();
       ++size) {
    check(size);
  }
}

}  // namespace
}  // namespace millrace
