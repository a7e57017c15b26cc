// What verify and repair make of damaged sharded sets.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "formats/folder.h"
#include "formats/idx_salvage.h"
#include "tests/support/shards.h"
#include "tools/cli/repair.h"
#include "tools/cli/verify.h"

namespace millrace {
namespace {

using test::ByteVector;
using test::data_error_of;
using test::read_bytes;
using test::write_bytes;

const auto kGoOn = [](std::size_t, std::size_t) { return true; };

class ShardDamageTest : public testing::Test {
 protected:
  /// Samples per shard, four frames of images in the middle one.
  static constexpr std::array<std::uint32_t, 3> kSizes{50, 1200, 60};
  static constexpr std::uint32_t kAll = 1310;

  ShardDamageTest() : whole_(set_.open_whole()) {}

  std::filesystem::path images() const { return set_.images_at(1, 3); }
  std::filesystem::path labels() const { return set_.labels_at(1, 3); }

  /// Every fault is in `file`, and there is one. Returns which samples of the file it costs.
  std::vector<SampleRange> expect_named(const std::filesystem::path& file) const {
    return expect_named(set_, file);
  }
  static std::vector<SampleRange> expect_named(const test::ShardedFolder& set,
                                               const std::filesystem::path& file) {
    const auto found = verify(set.path, kGoOn);
    EXPECT_GT(found.faults(), 0U);
    std::vector<SampleRange> named;
    for (const auto& one : found.files) {
      if (one.path != file) {
        EXPECT_TRUE(one.faults.empty()) << one.path << one.faults[0].what;
      }
      for (const auto& fault : one.faults) {
        if (fault.samples.count != 0) named.push_back(fault.samples);
      }
    }
    return named;
  }

  /// Repairs, and returns which samples of the whole were lost. The others are what they were.
  std::vector<std::uint64_t> lost_by_repair() const {
    const auto out = set_.folder / "out";
    std::filesystem::remove_all(out);
    const auto files = repair({.in = set_.path, .out = out, .jobs = 1}, kGoOn);
    std::vector<bool> lost(kAll);
    std::uint64_t first = 0;
    for (std::size_t shard = 0; shard < kSizes.size(); ++shard) {
      for (const auto& range : files[2 * shard].dropped) {
        for (std::uint64_t i = 0; i < range.count; ++i) lost[first + range.first + i] = true;
      }
      EXPECT_EQ(files[2 * shard].dropped, files[2 * shard + 1].dropped);
      first += kSizes[shard];
    }
    const auto left = open_folder(out).train;
    const auto found = left->contiguous();
    const auto before = whole_->contiguous();
    std::size_t at = 0;
    std::vector<std::uint64_t> ids;
    for (std::uint64_t i = 0; i < kAll; ++i) {
      if (lost[i]) {
        ids.push_back(i);
        continue;
      }
      if (at >= left->size()) break;
      EXPECT_TRUE(std::ranges::equal(found.samples.subspan(at * 784, 784),
                                     before.samples.subspan(i * 784, 784)));
      EXPECT_EQ(found.labels[at], before.labels[i]);
      ++at;
    }
    EXPECT_EQ(at, left->size());
    EXPECT_EQ(at + ids.size(), kAll);
    EXPECT_EQ(verify(out, kGoOn).faults(), 0U);
    return ids;
  }

  test::ShardedFolder set_{{kSizes.begin(), kSizes.end()}};
  std::shared_ptr<const ArrayDataset> whole_;
};

TEST_F(ShardDamageTest, FindsEveryFlippedBitAndKeepsAllOtherSamples) {
  for (const bool of_labels : {false, true}) {
    const auto path = of_labels ? labels() : images();
    const auto file = read_bytes(path);
    const auto table = read_seek_table(path, file).value();
    const auto step = of_labels ? std::size_t{97} : std::size_t{997} * 11;
    for (std::size_t bit = 0; bit < file.size() * 8; bit += step) {
      auto damaged = file;
      damaged[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
      write_bytes(path, damaged);
      expect_named(path);
      const auto lost = lost_by_repair();
      // At most those of the frame that was hit, and none for a bit in header or table.
      for (const auto& frame : table.frames()) {
        const bool hit = bit / 8 >= frame.stored_at && bit / 8 < frame.stored_at + frame.stored;
        if (!hit || lost.empty()) continue;
        const std::uint64_t head = of_labels ? 8 : 16;
        const std::uint64_t bytes = of_labels ? 1 : 784;
        EXPECT_EQ(lost.size(), frame.content / bytes) << bit;
        EXPECT_EQ(lost.front(), kSizes[0] + (frame.content_at - head) / bytes) << bit;
      }
      if (bit / 8 < table.frames()[0].stored || bit / 8 >= table.stored_size()) {
        EXPECT_TRUE(lost.empty()) << bit;
      }
    }
    write_bytes(path, file);
  }
}

// The bar, on a shard of two frames: `damage_bench` does the same to one of 1 MB.
TEST_F(ShardDamageTest, NamesAndSalvagesWhateverTheBit) {
  constexpr std::uint32_t kSamples = 500;
  const test::ShardedFolder set({20, kSamples, 20});
  const auto path = set.images_at(1, 3);
  const IdxHeader header{DType::kUInt8, {kSamples, 28, 28}};
  const auto whole = set.open_whole();
  const auto before = whole->contiguous().samples.subspan(20 * 784, std::size_t{kSamples} * 784);
  const auto file = read_bytes(path);
  const auto table = read_seek_table(path, file).value();
  ASSERT_EQ(table.frames().size(), 3U);
  for (std::size_t bit = 0; bit < file.size() * 8; bit += 997) {
    auto damaged = file;
    damaged[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    write_bytes(path, damaged);
    const auto named = expect_named(set, path);
    const SalvagedIdx salvaged(path, header);
    EXPECT_EQ(lost_ranges(salvaged.sound()), named) << bit;
    salvaged.read([&](std::uint64_t first, std::span<const std::byte> samples) {
      EXPECT_TRUE(std::ranges::equal(samples, before.subspan(first * 784, samples.size()))) << bit;
    });
    for (const auto& frame : table.frames()) {
      const bool hit = bit / 8 >= frame.stored_at && bit / 8 < frame.stored_at + frame.stored;
      if (!hit || named.empty()) continue;
      EXPECT_EQ(named, (std::vector<SampleRange>{
                           {(frame.content_at - 16) / 784, frame.content / std::uint64_t{784}}}))
          << bit;
    }
    if (bit / 8 < table.frames()[0].stored || bit / 8 >= table.stored_size()) {
      EXPECT_TRUE(named.empty()) << bit;
    }
  }
}

TEST_F(ShardDamageTest, FindsEveryCutAndKeepsAllWholeFrames) {
  const auto file = read_bytes(images());
  const auto table = read_seek_table(images(), file).value();
  for (std::size_t size = 0; size < file.size(); size += 10'007) {
    write_bytes(images(), std::span(file).first(size));
    expect_named(images());
    const auto lost = lost_by_repair();
    std::uint64_t whole = 0;
    for (const auto& frame : table.frames()) {
      if (frame.stored_at + frame.stored <= size && frame.content_at > 0) {
        whole += frame.content / 784;
      }
    }
    EXPECT_EQ(lost.size(), kSizes[1] - whole) << size;
  }
}

TEST_F(ShardDamageTest, NamesAMissingShardAndGoesOnWithoutIt) {
  std::filesystem::remove(labels());
  const auto found = verify(set_.path, kGoOn);
  ASSERT_EQ(found.files.size(), 7U);
  EXPECT_EQ(found.files[4].path, labels());
  EXPECT_EQ(found.files[4].faults.at(0).what, "expected a shard, found no such file");
  EXPECT_EQ(found.files[4].faults[0].samples, (SampleRange{0, kSizes[1]}));
  EXPECT_EQ(lost_by_repair().size(), kSizes[1]);
}

TEST_F(ShardDamageTest, RebuildsAManifestThatIsLostOrBroken) {
  for (const bool lost : {true, false}) {
    if (lost) {
      std::filesystem::remove(set_.path / kManifestName);
    } else {
      write_bytes(set_.path / kManifestName, test::make_bytes(R"({"format": "millrace shards"})"));
    }
    const auto found = verify(set_.path, kGoOn);
    EXPECT_EQ(found.faults(), 1U);
    EXPECT_EQ(found.files[0].faults.at(0).what,
              lost ? "expected a manifest beside the shards, found none"
                   : "expected version: a value, found none");
    EXPECT_TRUE(lost_by_repair().empty());
    EXPECT_EQ(read_manifest(set_.folder / "out" / kManifestName), set_.manifest);
  }
}

TEST_F(ShardDamageTest, ComparesTheManifestWithTheShards) {
  const auto sound = set_.manifest;
  const auto only_fault = [&] {
    set_.write_manifest();
    const auto found = verify(set_.path, kGoOn);
    EXPECT_EQ(found.faults(), 1U);
    for (const auto& file : found.files) {
      if (!file.faults.empty()) return file.path.filename().string() + ": " + file.faults[0].what;
    }
    return std::string();
  };
  std::swap(set_.manifest.train.shards[0], set_.manifest.train.shards[2]);
  EXPECT_TRUE(only_fault().starts_with("manifest.json: train.hash: expected "));
  set_.manifest = sound;
  set_.manifest.train.shards[2].images.hash[0] ^= 1;
  EXPECT_TRUE(only_fault().starts_with(set_.images_at(2, 3).filename().string() +
                                       ": expected a file of hash "));
  set_.manifest = sound;
  set_.manifest.classes = 8;
  set_.write_manifest();
  EXPECT_EQ(verify(set_.path, kGoOn).faults(), 0U);
  set_.manifest.classes = 6;
  set_.write_manifest();
  const auto found = verify(set_.path, kGoOn);
  EXPECT_EQ(found.files[2].faults.at(0).what, "byte 14: expected a label in [0, 6), found 6");
  EXPECT_EQ(found.files[2].faults[0].samples, (SampleRange{6, 1}));
}

TEST_F(ShardDamageTest, WritesNothingWhereNothingIsLeftOrItIsStopped) {
  const auto out = set_.folder / "out";
  int calls = 0;
  EXPECT_TRUE(
      repair({.in = set_.path, .out = out}, [&](auto, auto) { return ++calls < 3; }).empty());
  EXPECT_FALSE(std::filesystem::exists(out));
  for (std::uint32_t i = 0; i < 3; ++i) std::filesystem::remove(set_.labels_at(i, 3));
  EXPECT_NE(data_error_of([&] {
              repair({.in = set_.path, .out = out}, kGoOn);
            }).find("no training sample can be salvaged"),
            std::string::npos);
  EXPECT_NE(data_error_of([&] {
              repair({.in = set_.path, .out = set_.path, .force = true}, kGoOn);
            }).find("no training sample"),
            std::string::npos);
}

TEST_F(ShardDamageTest, DoesNotRepairInPlace) {
  EXPECT_NE(data_error_of([&] {
              repair({.in = set_.path, .out = set_.path, .force = true}, kGoOn);
            }).find("is what is to be repaired; choose another folder"),
            std::string::npos);
  EXPECT_EQ(verify(set_.path, kGoOn).faults(), 0U);
}

}  // namespace
}  // namespace millrace
