#include "tools/cli/bench.h"

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <limits>
#include <memory>
#include <span>

#include "formats/block_dataset.h"
#include "formats/folder.h"
#include "loader/chunk_filler.h"
#include "loader/loader.h"
#include "loader/window_stage.h"
#include "loader/worker_pool.h"
#include "tools/cli/bench_files.h"

namespace millrace {
namespace {

using Clock = std::chrono::steady_clock;
using Kind = BenchStage::Kind;

// As a run has them.
constexpr std::uint64_t kChunkBytes = std::uint64_t{4} << 20U;
constexpr std::uint64_t kMostBatches = 1024;
constexpr std::uint64_t kWindowBytes = std::uint64_t{32} << 20U;
constexpr std::uint64_t kSeed = 0;
constexpr std::uint64_t kEpochs = 1'000'000'000'000;  // of a sample each, more than an hour has

double since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Keeps this thread, and the threads it starts, on one of the cores that it may use.
class OneCore {
 public:
  OneCore() {
    if (::sched_getaffinity(0, sizeof(before_), &before_) != 0) return;
    cpu_set_t one;
    CPU_ZERO(&one);
    const int here = ::sched_getcpu();
    CPU_SET(static_cast<std::size_t>(std::max(0, here)), &one);
    bound_ = here >= 0 && ::sched_setaffinity(0, sizeof(one), &one) == 0;
  }
  ~OneCore() {
    if (bound_) ::sched_setaffinity(0, sizeof(before_), &before_);
  }
  OneCore(const OneCore&) = delete;
  OneCore& operator=(const OneCore&) = delete;

 private:
  cpu_set_t before_{};
  bool bound_ = false;
};

LoaderSpec loader_spec(const BenchSpec& spec, const std::shared_ptr<const Dataset>& data,
                       bool augmented) {
  LoaderSpec loader;
  loader.data = data;
  loader.subset = Split::random(data->size(), 0, kSeed).train;
  loader.kind = ChunkKind::kPacked;
  loader.batch = static_cast<std::uint32_t>(std::min<std::uint64_t>(spec.batch, data->size()));
  const std::uint64_t batch_bytes =
      loader.batch * (data->shape().elements() * size_of(input_type_for(data->dtype())));
  loader.chunk_batches = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(
      kChunkBytes / std::max<std::uint64_t>(1, batch_bytes), 1, kMostBatches));
  loader.workers = spec.workers;
  loader.seed = kSeed;
  if (augmented) loader.augment = spec.augment;
  loader.epochs = kEpochs;
  return loader;
}

/// Samples a second of `threads` threads that each call work(thread), which returns how many it
/// did.
template <typename Work>
double worked_per_second(std::uint32_t threads, double seconds, const std::atomic<bool>& stop,
                         const Work& work) {
  std::atomic<std::uint64_t> samples{0};
  const auto start = Clock::now();
  const auto run = [&](std::uint32_t thread) {
    do {
      samples += work(thread);
    } while (since(start) < seconds && !stop.load());
  };
  std::vector<std::future<void>> others;
  for (std::uint32_t t = 1; t < threads; ++t) {
    others.push_back(std::async(std::launch::async, run, t));
  }
  run(0);
  for (auto& other : others) other.get();
  return static_cast<double>(samples) / since(start);
}

/// Samples a second of a worker alone: chunk after chunk on this thread, as the loader makes them.
double filled_per_second(const LoaderSpec& spec, double seconds, const std::atomic<bool>& stop) {
  ChunkCursor cursor({spec.subset.size(), spec.batch, spec.chunk_batches, spec.epochs}, {});
  ChunkFiller filler(spec);
  ChunkSlot slot = filler.make_slot(pageable_memory());
  const auto fill = [&](std::uint32_t) {
    const std::uint32_t parts = filler.prepare(slot, *cursor.next());
    for (std::uint32_t part = 0; part < parts; ++part) {
      while (!filler.ready(slot, part)) filler.read_ahead();
      filler.fill(slot, part);
    }
    return slot.plan.count;
  };
  fill(0);
  return worked_per_second(1, seconds, stop, fill);
}

/// Samples a second of a whole loader whose consumer does nothing with them.
double delivered_per_second(const LoaderSpec& spec, double seconds, const std::atomic<bool>& stop) {
  Loader loader(spec);
  for (std::uint32_t i = 0; i < spec.slots; ++i) loader.next();
  return worked_per_second(1, seconds, stop,
                           [&](std::uint32_t) { return loader.next()->chunk().count; });
}

class Bench {
 public:
  Bench(const BenchSpec& spec, const std::function<void(double, std::string_view)>& progress,
        const std::atomic<bool>& stop)
      : spec_(spec), progress_(progress), stop_(stop) {
    result_.workers = WorkerPool::resolve(spec.workers);
  }

  std::optional<BenchResult> run() {
    open_once();
    read_files();
    if (stop_.load()) return std::nullopt;
    const DataFolder folder = time_open();
    const auto blocks = std::dynamic_pointer_cast<const BlockDataset>(folder.train);
    if (blocks == nullptr) {
      chunks(result_.in_memory ? Kind::kGather : Kind::kDecode,
             loader_spec(spec_, folder.train, false));
    }
    if (spec_.augment.enabled()) {
      augment(*folder.train);
      if (blocks == nullptr) chunks(Kind::kDeliver, loader_spec(spec_, folder.train, true));
    }
    stream(blocks);
    if (stop_.load()) return std::nullopt;
    return std::move(result_);
  }

 private:
  // Before anything is measured: it throws where there is nothing to measure.
  void open_once() {
    tell("opening");
    const DataFolder folder = open_folder(spec_.path, options());
    const Dataset& data = *folder.train;
    if (spec_.augment.enabled()) {
      const Augmenter refuses(spec_.augment, data.shape(), data.dtype(), kSeed);
    }
    result_.description = folder.description;
    result_.samples = data.size();
    all_samples_ = data.size() + (folder.test ? folder.test->size() : 0);
    result_.sample_bytes = data.sample_bytes();
    result_.in_memory = !data.contiguous().samples.empty();
    files_ = files_at(spec_.path);
    for (const auto& file : files_) result_.file_bytes += std::filesystem::file_size(file);
  }

  OpenOptions options() const {
    OpenOptions options;
    options.image = spec_.image;
    options.task = spec_.task;
    options.label_column = spec_.label_column;
    options.table = spec_.table;
    return options;
  }

  void tell(std::string_view what) {
    // Each of up to eight stages, with one worker and with all.
    constexpr double kSteps = 16.0;
    progress_(std::min(1.0, static_cast<double>(steps_++) / kSteps), what);
  }

  // With one worker and with all; measure(workers) returns samples and bytes a second.
  template <typename Measure>
  void stage(Kind kind, const Measure& measure) {
    BenchStage stage{kind, {}};
    std::vector<std::uint32_t> counts{1};
    if (result_.workers > 1) counts.push_back(result_.workers);
    for (const std::uint32_t workers : counts) {
      if (stop_.load()) return;
      tell(name_of(kind));
      if (const auto rate = measure(workers)) stage.rates.push_back(*rate);
    }
    if (stage.rates.size() == counts.size()) result_.stages.push_back(std::move(stage));
  }

  BenchRate of_samples(std::uint32_t workers, double samples_per_s) const {
    return {workers, samples_per_s, samples_per_s * static_cast<double>(result_.sample_bytes)};
  }

  void read_files() {
    const auto rate = [&](std::uint32_t workers,
                          const std::optional<FileSpeed>& speed) -> std::optional<BenchRate> {
      if (!speed) return std::nullopt;
      const double share = static_cast<double>(all_samples_) /
                           static_cast<double>(std::max<std::uint64_t>(1, result_.file_bytes));
      return BenchRate{workers, speed->bytes_per_s() * share, speed->bytes_per_s()};
    };
    stage(Kind::kReadUncached, [&](std::uint32_t workers) {
      return rate(workers, read_uncached(files_, workers, spec_.seconds, stop_));
    });
    stage(Kind::kReadCached, [&](std::uint32_t workers) {
      return rate(workers, read_cached(files_, workers, spec_.seconds, stop_));
    });
  }

  DataFolder time_open() {
    DataFolder folder;
    stage(Kind::kOpen, [&](std::uint32_t workers) -> std::optional<BenchRate> {
      std::optional<OneCore> one;
      if (workers == 1 && result_.workers > 1) one.emplace();
      double best = std::numeric_limits<double>::infinity();
      const auto start = Clock::now();
      do {
        folder = {};
        const auto begin = Clock::now();
        folder = open_folder(spec_.path, options());
        best = std::min(best, since(begin));
      } while (since(start) < spec_.seconds && !stop_.load());
      BenchRate rate = of_samples(workers, static_cast<double>(all_samples_) / best);
      return rate;
    });
    // Opened with one core: nothing of it is kept.
    if (folder.train == nullptr) folder = open_folder(spec_.path, options());
    return folder;
  }

  void chunks(Kind kind, const LoaderSpec& spec) {
    stage(kind, [&](std::uint32_t workers) -> std::optional<BenchRate> {
      if (workers == 1) return of_samples(1, filled_per_second(spec, spec_.seconds, stop_));
      return of_samples(workers, delivered_per_second(spec, spec_.seconds, stop_));
    });
  }

  void augment(const Dataset& data) {
    constexpr std::size_t kSamples = 64;
    const Augmenter augmenter(spec_.augment, data.shape(), data.dtype(), kSeed);
    const std::size_t count = std::min<std::size_t>(kSamples, data.size());
    std::vector<std::uint64_t> ids(count);
    for (std::size_t i = 0; i < count; ++i) ids[i] = i * (data.size() / count);
    std::vector<std::byte> samples(count * data.sample_bytes());
    std::vector<std::int32_t> labels(count * data.label_words());
    data.read(ids, samples, labels);
    stage(Kind::kAugment, [&](std::uint32_t workers) -> std::optional<BenchRate> {
      // What was distorted often enough is black, and copying costs next to nothing beside it.
      std::vector<std::vector<std::byte>> copies(workers, samples);
      const auto work = [&](std::uint32_t thread) {
        std::ranges::copy(samples, copies[thread].begin());
        augmenter.apply(0, ids, copies[thread]);
        return count;
      };
      return of_samples(workers, worked_per_second(workers, spec_.seconds, stop_, work));
    });
  }

  // Of seekable zstd: how it would be if it did not fit into memory.
  void stream(std::shared_ptr<const BlockDataset> blocks) {
    if (blocks == nullptr) {
      OpenOptions streamed = options();
      streamed.most_decoded = 0;
      const DataFolder folder = open_folder(spec_.path, streamed);
      blocks = std::dynamic_pointer_cast<const BlockDataset>(folder.train);
      if (blocks == nullptr) return;
    }
    stage(Kind::kDecodeBlocks, [&](std::uint32_t workers) -> std::optional<BenchRate> {
      std::atomic<std::size_t> next{0};
      std::vector<std::vector<std::byte>> samples(workers);
      std::vector<std::vector<std::int32_t>> labels(workers);
      const auto work = [&](std::uint32_t thread) {
        const std::size_t index = next++ % blocks->blocks().size();
        const std::uint64_t count = blocks->blocks()[index].count;
        samples[thread].resize(blocks->largest_block() * blocks->sample_bytes());
        labels[thread].resize(count * blocks->label_words());
        blocks->decode_block(index,
                             std::span(samples[thread]).first(count * blocks->sample_bytes()),
                             labels[thread]);
        return count;
      };
      return of_samples(workers, worked_per_second(workers, spec_.seconds, stop_, work));
    });
    LoaderSpec spec = loader_spec(spec_, blocks, true);
    spec.window_blocks = blocks_of_window(*blocks, kWindowBytes);
    chunks(Kind::kStream, spec);
  }

  const BenchSpec& spec_;
  const std::function<void(double, std::string_view)>& progress_;
  const std::atomic<bool>& stop_;
  BenchResult result_;
  std::uint64_t all_samples_ = 0;
  std::vector<std::filesystem::path> files_;
  int steps_ = 0;
};

}  // namespace

const BenchStage* BenchResult::stage(BenchStage::Kind kind) const noexcept {
  for (const auto& stage : stages) {
    if (stage.kind == kind) return &stage;
  }
  return nullptr;
}

std::optional<BenchResult> bench(const BenchSpec& spec,
                                 const std::function<void(double, std::string_view)>& progress,
                                 const std::atomic<bool>& stop) {
  return Bench(spec, progress, stop).run();
}

}  // namespace millrace
