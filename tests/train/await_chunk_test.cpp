#include "train/await_chunk.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <mutex>

#include "formats/forwarding_dataset.h"
#include "tests/support/files.h"
#include "tests/support/training.h"

namespace millrace {
namespace {

// Storage that hangs: reads that begin while the gate is shut wait until it opens.
class Gate {
 public:
  void shut() { set(false); }
  void open() { set(true); }
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    --waiting_;
  }
  void await_someone() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_ > 0; });
  }

 private:
  void set(bool open) {
    const std::lock_guard lock(mutex_);
    open_ = open;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
  int waiting_ = 0;
};

class GatedDataset final : public ForwardingDataset<Dataset> {
 public:
  explicit GatedDataset(Gate& gate)
      : ForwardingDataset(test::memory_dataset({.contiguous = false, .name = "memory"})),
        gate_(gate) {}

  std::string hash() const override { return of().hash(); }
  void read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
            std::span<std::int32_t> labels) const override {
    gate_.pass();
    of().read(ids, samples, labels);
  }

 private:
  Gate& gate_;
};

TEST(AwaitChunk, HasTheChunkOrTheError) {
  const std::atomic<bool> stop{true};
  LoaderSpec spec;
  spec.data = test::training_data();
  spec.subset = Subset::all(spec.data->size());
  spec.kind = ChunkKind::kPacked;
  spec.batch = 16;
  Loader loader(spec);
  std::uint64_t samples = 0;
  while (true) {
    // What is there is there, whether somebody wants to stop or not.
    while (!await_chunk(loader, stop)) {
    }
    const auto lease = loader.next();
    if (!lease) break;
    samples += lease->chunk().count;
  }
  EXPECT_EQ(samples, spec.data->size());
}

TEST(AwaitChunk, LetsARunStopWhileStorageHangs) {
  const test::TempFolder folder;
  Gate gate;
  RunSpec spec = test::small_run();
  spec.residency = Residency::kHost;
  spec.checkpoint_dir = folder.path();
  spec.slots = 1;
  spec.chunk_batches = 2;
  const auto data = std::make_shared<GatedDataset>(gate);
  std::atomic<bool> stop{false};
  {
    Trainer trainer(spec, data, nullptr, {});
    gate.shut();
    auto run = std::async(std::launch::async, [&] { return trainer.fit(stop); });
    gate.await_someone();
    stop = true;
    const RunResult result = run.get();
    EXPECT_TRUE(result.stopped);
    EXPECT_EQ(result.checkpoint, folder / "last.safetensors");
    gate.open();  // or the worker that hangs in read() would hold up the trainer's end
  }
  spec.resume = true;
  stop = false;
  Trainer trainer(spec, data, nullptr, {});
  EXPECT_EQ(trainer.fit(stop).weights_hash, test::run(test::small_run()).weights_hash);
}

}  // namespace
}  // namespace millrace
