// Loaders that run out of memory, at each allocation that they make.

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "formats/idx.h"
#include "formats/seekable_dataset.h"
#include "loader/loader.h"
#include "tests/support/failing_allocation.h"
#include "tests/support/faulty_dataset.h"
#include "tests/support/files.h"
#include "tests/support/idx_files.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/seekable.h"

namespace millrace {
namespace {

using std::chrono::seconds;

// Ends the program, with what it was at, where a step of it takes a minute.
class Watchdog {
 public:
  explicit Watchdog(std::string what) : what_(std::move(what)) {}

  void step(std::uint64_t number) {
    const std::lock_guard lock(mutex_);
    number_ = number;
    begun_.notify_all();
  }

 private:
  void watch(const std::stop_token& stop) {
    const test::Uncounted uncounted;
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
      const std::uint64_t seen = number_;
      const auto moved = [&] { return number_ != seen; };
      if (begun_.wait_for(lock, stop, seconds(60), moved) || stop.stop_requested()) continue;
      std::fprintf(stderr, "%s, allocation %llu failed: still not over after a minute\n",
                   what_.c_str(), static_cast<unsigned long long>(seen));
      std::abort();
    }
  }

  const std::string what_;
  std::mutex mutex_;
  std::condition_variable_any begun_;
  std::uint64_t number_ = 0;
  std::jthread thread_{[this](const std::stop_token& stop) { watch(stop); }};
};

struct Delivered {
  LoaderState position;
  std::vector<std::byte> samples;
  std::vector<std::int32_t> labels;
  std::vector<std::uint32_t> indices;
  std::vector<std::uint64_t> bad;

  bool operator==(const Delivered&) const = default;
};

Delivered copy_of(const ChunkLease& lease) {
  const Chunk& chunk = lease.chunk();
  Delivered copy{.position = lease.position(),
                 .samples = {chunk.samples.begin(), chunk.samples.end()},
                 .labels = {chunk.labels.begin(), chunk.labels.end()},
                 .indices = {chunk.indices.begin(), chunk.indices.end()},
                 .bad = {}};
  for (const BadPlace& bad : lease.bad()) copy.bad.push_back(bad.sample.id);
  return copy;
}

std::vector<Delivered> all_of(const LoaderSpec& spec) {
  std::vector<Delivered> chunks;
  Loader loader(spec);
  while (const auto lease = loader.next()) chunks.push_back(copy_of(*lease));
  return chunks;
}

// A run of which one allocation fails; whether it came so far. Memory may end anywhere: the chunks
// before that come, then an error, or none where it can be done without.
bool run_without(std::uint64_t allocation, const LoaderSpec& spec,
                 const std::vector<Delivered>& wanted) {
  const test::FailingAllocation failing(allocation);
  std::size_t chunks = 0;
  int errors = 0;
  try {
    Loader loader(spec);
    while (errors < 3) {
      try {
        const auto lease = loader.next();
        const test::Uncounted uncounted;
        if (!lease) break;
        EXPECT_TRUE(copy_of(*lease) == wanted.at(chunks)) << "chunk " << chunks;
        ++chunks;
      } catch (const std::bad_alloc&) {
        ++errors;  // nothing may be lost: either it goes on or this comes again
      }
    }
    EXPECT_TRUE(errors == 3 || chunks == wanted.size()) << chunks << " chunks";
  } catch (const std::bad_alloc&) {
    ++errors;
  }
  EXPECT_TRUE(errors == 0 || failing.reached());
  return failing.reached();
}

// `make_spec` makes a data set, too: what it keeps for later is not the loader's.
void expect_survives(const std::string& what, const std::function<LoaderSpec()>& make_spec) {
  for (const std::uint32_t workers : {1U, 3U}) {
    const auto spec = [&] {
      LoaderSpec made = make_spec();
      made.workers = workers;
      return made;
    };
    const auto wanted = all_of(spec());
    Watchdog watchdog(what + " with " + std::to_string(workers) + " workers");
    std::uint64_t allocation = 0;
    for (bool reached = true; reached && !::testing::Test::HasFailure();) {
      SCOPED_TRACE("allocation " + std::to_string(++allocation) + " failed");
      watchdog.step(allocation);
      const auto before = test::allocations_held();
      reached = run_without(allocation, spec(), wanted);
      // Tasks that oneTBB starts late keep a little until then; a leak is there for ever.
      while (test::allocations_held() > before) std::this_thread::yield();
    }
    EXPECT_GT(allocation, 30U);
  }
}

LoaderSpec spec_of(ChunkKind kind, std::shared_ptr<const Dataset> data) {
  LoaderSpec spec;
  spec.subset = Split::random(data->size(), 20, 1).train;
  spec.data = std::move(data);
  spec.kind = kind;
  spec.batch = 16;
  spec.chunk_batches = 5;
  spec.slots = 2;
  spec.seed = 42;
  spec.epochs = 2;
  if (kind == ChunkKind::kPacked) spec.augment = {.rotate = 10, .shift = 2, .elastic = 30};
  return spec;
}

const std::set<std::uint64_t> kBad{3, 4, 5, 100};

// Images large enough for chunks of several parts.
std::shared_ptr<const Dataset> images(bool contiguous) {
  return test::memory_dataset(
      {.size = 200, .width = 64 * 64, .height = 64, .contiguous = contiguous});
}

TEST(LoaderAllocation, EachOfIndicesMayFail) {
  expect_survives("indices", [] { return spec_of(ChunkKind::kIndices, images(true)); });
}

TEST(LoaderAllocation, EachOfIndicesOfBadSamplesMayFail) {
  expect_survives("indices of bad samples", [] {
    LoaderSpec spec = spec_of(ChunkKind::kIndices, images(true));
    spec.on_bad = OnBad::kSkip;
    spec.bad = {kBad.begin(), kBad.end()};
    return spec;
  });
}

TEST(LoaderAllocation, EachOfAGatherMayFail) {
  for (const bool contiguous : {true, false}) {
    expect_survives(contiguous ? "a gather" : "reading",
                    [&] { return spec_of(ChunkKind::kPacked, images(contiguous)); });
  }
}

TEST(LoaderAllocation, EachOfReadingBadSamplesMayFail) {
  expect_survives("reading bad samples", [] {
    const auto data = std::make_shared<test::FaultyDataset>(images(true), kBad);
    LoaderSpec spec = spec_of(ChunkKind::kPacked, data);
    spec.on_bad = OnBad::kSkip;
    return spec;
  });
}

// Four frames of images, each a window.
class LoaderAllocationOfAStream : public ::testing::Test {
 protected:
  LoaderAllocationOfAStream() {
    test::write_seekable(images_, {60, 128, 128});
    test::write_bytes(labels_, test::small_labels(60, 7));
  }

  LoaderSpec spec() const {
    const auto data = std::make_shared<const SeekableDataset>(images_, read_idx(labels_));
    EXPECT_EQ(data->blocks().size(), 4U);
    LoaderSpec spec = spec_of(ChunkKind::kPacked, data);
    spec.batch = 8;
    spec.chunk_batches = 3;
    spec.window_blocks = 1;
    return spec;
  }

  const test::TempFolder folder_;
  const std::filesystem::path images_ = folder_ / "images.zst";
  const std::filesystem::path labels_ = folder_ / "labels";
};

TEST_F(LoaderAllocationOfAStream, EachMayFail) {
  expect_survives("a stream", [this] { return spec(); });
}

TEST_F(LoaderAllocationOfAStream, EachMayFailWhereSamplesAreBad) {
  auto bytes = test::read_bytes(images_);
  bytes[bytes.size() / 2] ^= std::byte{4};
  test::write_bytes(images_, bytes);
  expect_survives("a stream of bad samples", [this] {
    LoaderSpec bad = spec();
    bad.on_bad = OnBad::kSkip;
    bad.epochs = 1;  // each sample takes some allocations to name it
    return bad;
  });
}

}  // namespace
}  // namespace millrace
