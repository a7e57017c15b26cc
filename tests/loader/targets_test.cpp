#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "loader/loader.h"
#include "loader/readable.h"
#include "loader/resident.h"
#include "loader/sample_reader.h"
#include "tests/support/fake_blocks.h"
#include "tests/support/fake_dataset.h"

// Labels that are several numbers go with their samples, whatever way those take.

namespace millrace {
namespace {

using testing::FakeBlocks;
using testing::FakeDataset;

constexpr std::uint64_t kSize = 300;
constexpr std::uint64_t kElements = 5;

/// The sample whose label these words are; a failure, and kSize, where they are nobody's.
std::uint64_t sample_of(std::span<const std::int32_t> label) {
  const auto id = static_cast<std::uint64_t>(target_of(label[0]));
  for (std::uint32_t t = 0; t < label.size(); ++t) {
    EXPECT_EQ(label[t], FakeDataset::expected_word(id, t));
  }
  return id < kSize ? id : kSize;
}

enum class Way : std::uint8_t { kInPlace, kRead, kConverted, kStream };

std::shared_ptr<const Dataset> data_of(Way way, std::uint32_t targets,
                                       std::span<const std::uint64_t> failing) {
  if (way == Way::kStream) {
    constexpr std::array<std::uint64_t, 4> kBlocks{90, 60, 100, 50};
    return std::make_shared<FakeBlocks>(kBlocks, kElements, failing, targets);
  }
  auto data = std::make_shared<FakeDataset>(
      kSize, kElements, way == Way::kConverted ? DType::kInt16 : DType::kUInt8,
      way == Way::kInPlace ? FakeDataset::Access::kContiguous : FakeDataset::Access::kReadOnly,
      targets);
  for (const auto id : failing) data->fail_at(id);
  return data;
}

class Targets : public ::testing::TestWithParam<std::tuple<Way, std::uint32_t>> {
 protected:
  static Way way() { return std::get<0>(GetParam()); }
  static std::uint32_t targets() { return std::get<1>(GetParam()); }
  static std::shared_ptr<const Dataset> data(std::span<const std::uint64_t> failing = {}) {
    return data_of(way(), targets(), failing);
  }
  static LoaderSpec spec(std::shared_ptr<const Dataset> data) {
    LoaderSpec spec;
    spec.data = std::move(data);
    spec.subset = Subset::all(kSize);
    spec.kind = ChunkKind::kPacked;
    spec.batch = 16;
    spec.chunk_batches = 3;
    spec.workers = 2;
    spec.seed = 3;
    spec.epochs = 2;
    if (way() == Way::kStream) spec.window_blocks = 2;
    return spec;
  }
  /// Numbers of the samples delivered.
  static std::vector<std::uint64_t> delivered(const LoaderSpec& spec) {
    std::vector<std::uint64_t> ids;
    Loader loader(spec);
    while (const auto lease = loader.next()) {
      const Chunk& chunk = lease->chunk();
      EXPECT_EQ(chunk.labels.size(), std::size_t{chunk.count} * targets());
      for (std::uint32_t i = 0; i < chunk.count; ++i) {
        const auto id = sample_of(chunk.labels.subspan(i * targets(), targets()));
        ids.push_back(id);
        if (way() == Way::kConverted) continue;
        EXPECT_EQ(chunk.samples[i * kElements + 3], FakeDataset::expected_byte(id, 3));
      }
    }
    return ids;
  }
};

TEST_P(Targets, GoWithTheirSamples) {
  const auto ids = delivered(spec(data()));
  EXPECT_EQ(ids.size(), 2 * kSize);
  EXPECT_EQ(std::set(ids.begin(), ids.end()).size(), kSize);
}

TEST_P(Targets, GoWithWhatTakesABadSamplesPlace) {
  if (way() == Way::kInPlace) GTEST_SKIP() << "what lies in memory can be read";
  constexpr std::array<std::uint64_t, 3> kBad{0, 7, 299};
  for (const OnBad on_bad : {OnBad::kSkip, OnBad::kSubstitute, OnBad::kLeaveOut}) {
    auto mended = spec(data(kBad));
    mended.on_bad = on_bad;
    mended.bad_budget = kBad.size();
    if (on_bad == OnBad::kLeaveOut) mended.chunk_batches = 1;
    const auto ids = delivered(mended);
    EXPECT_EQ(ids.size(), 2 * (on_bad == OnBad::kLeaveOut ? kSize - kBad.size() : kSize));
    const std::set<std::uint64_t> found(ids.begin(), ids.end());
    for (const auto id : kBad) EXPECT_FALSE(found.contains(id));
  }
}

TEST_P(Targets, AreThoseOfAResidentSet) {
  const auto type = way() == Way::kConverted ? InputType::kFloat32 : InputType::kUInt8;
  const auto all = resident_samples(data(), type);
  ASSERT_EQ(all.labels.size(), kSize * targets());
  for (std::uint64_t i = 0; i < kSize; ++i) {
    EXPECT_EQ(sample_of(all.labels.subspan(i * targets(), targets())), i);
  }
  const auto subset = Split::random(kSize, 40, 5).validation;
  const auto some = resident_samples(data(), subset, type);
  ASSERT_EQ(some.labels.size(), 40U * targets());
  for (std::uint64_t i = 0; i < 40; ++i) {
    std::uint64_t id = i;
    subset.map({&id, 1}, {&id, 1});
    EXPECT_EQ(sample_of(some.labels.subspan(i * targets(), targets())), id);
  }
}

TEST_P(Targets, OfWhatCannotBeReadAreZeroAndKnownByTheHash) {
  if (way() == Way::kInPlace) GTEST_SKIP() << "what lies in memory can be read";
  constexpr std::array<std::uint64_t, 1> kBad{5};
  const auto faulty = data(kBad);
  std::vector<std::uint64_t> ids{4, 5, 6};
  std::vector<std::byte> samples(ids.size() * faulty->sample_bytes());
  std::vector<std::int32_t> labels(ids.size() * targets(), -1);
  const auto bad = read_readable(*faulty, ids, samples, labels);
  ASSERT_EQ(bad.size(), 1U);
  EXPECT_EQ(bad[0].place, 1U);
  EXPECT_EQ(sample_of(std::span(labels).first(targets())), 4U);
  for (std::uint32_t t = 0; t < targets(); ++t) EXPECT_EQ(labels[targets() + t], 0);
  EXPECT_EQ(sample_of(std::span(labels).subspan(std::size_t{2} * targets())), 6U);
  EXPECT_NE(hash_readable_now(*faulty), hash_readable_now(*data()));
}

std::string name_of_case(const ::testing::TestParamInfo<Targets::ParamType>& info) {
  constexpr std::array<const char*, 4> kWays{"InPlace", "Read", "Converted", "Stream"};
  return std::string(kWays.at(static_cast<std::size_t>(std::get<0>(info.param)))) +
         std::to_string(std::get<1>(info.param));
}
INSTANTIATE_TEST_SUITE_P(Each, Targets,
                         ::testing::Combine(::testing::Values(Way::kInPlace, Way::kRead,
                                                              Way::kConverted, Way::kStream),
                                            ::testing::Values(1U, 3U)),
                         name_of_case);

}  // namespace
}  // namespace millrace
