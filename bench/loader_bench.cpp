// How near the loader comes to copying: chunks of random samples packed by one core against memcpy
// of as many bytes on that core, in turn in one run. And what index chunks and the permutation
// cost.
#include <sched.h>
#include <time.h>  // NOLINT(modernize-deprecated-headers): clock_gettime

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "bench/median.h"
#include "formats/bytes.h"
#include "loader/chunk_filler.h"
#include "loader/loader.h"
#include "loader/permutation.h"
#include "loader/worker_pool.h"

namespace millrace {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::uint64_t samples = 60'000;
  std::uint64_t sample_bytes = 784;
  std::uint32_t batch = 128;
  std::uint32_t chunk_batches = 32;
  double seconds = 2.0;
  bool smoke = false;
};

// Samples in memory, as a decoded data set holds them.
class MemoryDataset : public Dataset {
 public:
  MemoryDataset(std::uint64_t size, std::uint64_t bytes)
      : shape_{{bytes}}, memory_(Bytes::allocate(size * bytes)), labels_(size) {
    const std::span<std::byte> samples = memory_.writable();
    for (std::size_t i = 0; i < samples.size(); ++i)
      samples[i] = static_cast<std::byte>(i * 2654435761U >> 24U);
  }
  std::uint64_t size() const noexcept override { return labels_.size(); }
  const SampleShape& shape() const noexcept override { return shape_; }
  DType dtype() const noexcept override { return DType::kUInt8; }
  std::uint32_t classes() const noexcept override { return 10; }
  std::string name() const override { return "memory"; }
  std::string hash() const override { return std::string(32, '0'); }
  void read(std::span<const std::uint64_t>, std::span<std::byte>,
            std::span<std::int32_t>) const override {}
  ContiguousView contiguous() const noexcept override { return {memory_.view(), labels_}; }

 private:
  SampleShape shape_;
  Bytes memory_;
  std::vector<std::int32_t> labels_;
};

// The processor's time for this thread: a busy machine slows nothing down but what is shared,
// caches and memory.
double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double seconds_of(const std::function<void()>& work) {
  const double begin = thread_seconds();
  work();
  return thread_seconds() - begin;
}

// Runs all of `works` in turn for about `seconds`, at least three times, and returns each one's
// median time.
std::vector<double> in_turn(const std::vector<std::function<void()>>& works, double seconds) {
  std::vector<std::vector<double>> times(works.size());
  for (const auto& work : works) work();
  const auto begin = Clock::now();
  while (times.back().size() < 3 ||
         std::chrono::duration<double>(Clock::now() - begin).count() < seconds) {
    for (std::size_t i = 0; i < works.size(); ++i) times[i].push_back(seconds_of(works[i]));
  }
  std::vector<double> medians;
  medians.reserve(times.size());
  for (auto& values : times) medians.push_back(median(std::move(values)));
  return medians;
}

// Keeps this thread, and the threads it starts, on the core it runs on.
class OneCore {
 public:
  OneCore() {
    sched_getaffinity(0, sizeof(before_), &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(std::max(0, sched_getcpu())), &one);
    sched_setaffinity(0, sizeof(one), &one);
  }
  ~OneCore() { sched_setaffinity(0, sizeof(before_), &before_); }
  OneCore(const OneCore&) = delete;
  OneCore& operator=(const OneCore&) = delete;

 private:
  cpu_set_t before_{};
};

LoaderSpec spec_of(const Options& options, const std::shared_ptr<const Dataset>& data,
                   ChunkKind kind) {
  LoaderSpec spec;
  spec.data = data;
  // As a run has it: two permutations, one on top of the other.
  spec.subset = Split::random(data->size(), data->size() / 6, 1).train;
  spec.kind = kind;
  spec.batch = options.batch;
  spec.chunk_batches = options.chunk_batches;
  return spec;
}

// Fills chunk after chunk on the calling thread, in the loader's own way.
class ChunkMill {
 public:
  explicit ChunkMill(const LoaderSpec& spec)
      : cursor_({spec.subset.size(), spec.batch, spec.chunk_batches,
                 std::numeric_limits<std::uint64_t>::max()},
                {}),
        filler_(spec) {
    // Three slots that take turns, as in a loader: what was written last is not what is written
    // next.
    slots_.reserve(kSlots);
    for (std::size_t i = 0; i < kSlots; ++i) slots_.push_back(filler_.make_slot(pageable_memory()));
  }

  std::span<std::byte> memory(std::size_t i) const { return slots_[i % kSlots].buffer.bytes(); }

  std::uint64_t fill() {
    ChunkSlot& slot = slots_[next_++ % kSlots];
    const std::uint32_t parts = filler_.prepare(slot, *cursor_.next());
    std::uint64_t bytes = 0;
    for (std::uint32_t part = 0; part < parts; ++part) bytes += filler_.fill(slot, part);
    return bytes;
  }

 private:
  static constexpr std::size_t kSlots = 3;

  ChunkCursor cursor_;
  ChunkFiller filler_;
  std::vector<ChunkSlot> slots_;
  std::size_t next_ = 0;
};

nlohmann::json one_core(const Options& options, const std::shared_ptr<const Dataset>& data) {
  const OneCore pinned;
  ChunkMill mill(spec_of(options, data, ChunkKind::kPacked));
  std::uint64_t epoch_chunks = 0;
  std::uint64_t bytes = 0;
  const std::uint64_t wanted = std::max<std::uint64_t>(1, data->size() * options.sample_bytes);
  while (bytes < wanted) {
    bytes += mill.fill();
    ++epoch_chunks;
  }
  const std::size_t chunk_bytes = bytes / epoch_chunks;
  const auto packed = [&] {
    for (std::uint64_t i = 0; i < epoch_chunks; ++i) mill.fill();
  };

  // The same bytes by memcpy into the same slots, once from a buffer of one chunk, once out of the
  // whole data set in its order.
  const auto samples = data->contiguous().samples;
  HostBuffer source(pageable_memory(), chunk_bytes);
  std::memset(source.data(), 1, chunk_bytes);
  const auto copy = [&] {
    for (std::uint64_t i = 0; i < epoch_chunks; ++i) {
      std::memcpy(mill.memory(i).data(), source.data(), chunk_bytes);
    }
  };
  const auto walk = [&] {
    for (std::uint64_t i = 0; i < epoch_chunks; ++i) {
      const std::size_t at =
          i * chunk_bytes % (samples.size() - std::min(samples.size() - 1, chunk_bytes));
      std::memcpy(mill.memory(i).data(), samples.data() + at,
                  std::min(chunk_bytes, samples.size() - at));
    }
  };
  const auto times = in_turn({packed, copy, walk}, options.seconds);
  const double gigabytes = static_cast<double>(chunk_bytes * epoch_chunks) / 1e9;
  return {{"packed_gb_per_s", gigabytes / times[0]},
          {"memcpy_gb_per_s", gigabytes / times[1]},
          {"memcpy_data_set_gb_per_s", gigabytes / times[2]},
          {"ratio", times[1] / times[0]},
          {"ratio_data_set", times[2] / times[0]}};
}

// A whole Loader with a consumer that does nothing: samples a second.
double delivered_per_second(LoaderSpec spec, std::uint32_t workers, double seconds) {
  spec.workers = workers;
  spec.epochs = std::numeric_limits<std::uint64_t>::max();
  Loader loader(spec);
  for (std::uint32_t i = 0; i < spec.slots; ++i) loader.next();
  std::uint64_t samples = 0;
  double elapsed = 0.0;
  const auto begin = Clock::now();
  while (elapsed < seconds) {
    samples += loader.next()->chunk().count;
    elapsed = std::chrono::duration<double>(Clock::now() - begin).count();
  }
  return static_cast<double>(samples) / elapsed;
}

nlohmann::json permutation_cost(const Options& options) {
  const OneCore pinned;
  const Permutation permutation(options.samples, 1, 2);
  std::vector<std::uint64_t> values(std::min<std::uint64_t>(options.samples, 1U << 16U));
  const auto range = [&] { permutation.range(0, values); };
  const auto apply = [&] { permutation.apply(values); };
  const auto single = [&] {
    for (auto& value : values) value = permutation(value);
  };
  const auto times = in_turn({range, apply, single}, options.seconds / 4);
  const double scale = 1e9 / static_cast<double>(values.size());
  return {{"permutation_range_ns", times[0] * scale},
          {"permutation_apply_ns", times[1] * scale},
          {"permutation_single_ns", times[2] * scale}};
}

nlohmann::json measure(const Options& options) {
  const auto data = std::make_shared<MemoryDataset>(options.samples, options.sample_bytes);
  const std::uint32_t cores = WorkerPool::resolve(0);
  nlohmann::json result{{"bench", "loader"},
                        {"samples", options.samples},
                        {"sample_bytes", options.sample_bytes},
                        {"batch", options.batch},
                        {"chunk_batches", options.chunk_batches},
                        {"workers", cores}};
  result.update(one_core(options, data));
  result.update(permutation_cost(options));

  const auto bytes = static_cast<double>(options.sample_bytes + sizeof(std::int32_t));
  const LoaderSpec packed = spec_of(options, data, ChunkKind::kPacked);
  const LoaderSpec indices = spec_of(options, data, ChunkKind::kIndices);
  const double share = options.seconds / 4;
  const double chunk_samples = static_cast<double>(options.batch) * options.chunk_batches;
  result["loader_packed_1_worker_gb_per_s"] = delivered_per_second(packed, 1, share) * bytes / 1e9;
  result["loader_packed_gb_per_s"] = delivered_per_second(packed, cores, share) * bytes / 1e9;
  const double index_samples = delivered_per_second(indices, 1, share);
  result["loader_index_samples_per_s"] = index_samples;
  result["loader_index_chunks_per_s"] = index_samples / chunk_samples;
  return result;
}

}  // namespace
}  // namespace millrace

int main(int argc, char** argv) {
  millrace::Options options;
  CLI::App app{"Chunks of random samples against memcpy, on one core and on all"};
  app.add_option("--samples", options.samples, "Samples of the data set")
      ->check(CLI::Range(std::uint64_t{12}, std::uint64_t{1} << 32U));
  app.add_option("--sample-bytes", options.sample_bytes, "Bytes of a sample")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 30U));
  app.add_option("--batch", options.batch, "Samples of a batch")->check(CLI::PositiveNumber);
  app.add_option("--chunk-batches", options.chunk_batches, "Batches of a chunk")
      ->check(CLI::PositiveNumber);
  app.add_option("--seconds", options.seconds,
                 "Time of the one-core comparison; all takes about twice as long")
      ->check(CLI::PositiveNumber);
  app.add_flag("--smoke", options.smoke, "A tiny run that only shows that it works");
  CLI11_PARSE(app, argc, argv);
  if (options.smoke) {
    options.samples = 5'000;
    options.seconds = 0.02;
  }
  std::printf("%s\n", millrace::measure(options).dump(2).c_str());
  return 0;
}
