#include "tools/trace/stage_recorder.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace millrace {
namespace {

constexpr std::size_t kBlock = 1024;
constexpr std::size_t kDeepest = 8;

std::uint64_t thread_id() noexcept { return static_cast<std::uint64_t>(::syscall(SYS_gettid)); }

// The first thread bears the program's name, which says nothing here.
std::string thread_name(std::uint64_t id) {
  if (id == static_cast<std::uint64_t>(::getpid())) return "main";
  std::array<char, 16> name{};
  return pthread_getname_np(pthread_self(), name.data(), name.size()) == 0 ? name.data() : "";
}

std::atomic<std::uint64_t> recorders{0};

}  // namespace

// Written by one thread at a time; read by another up to `size`, which the writer raises after
// what it counts is there. Blocks stay where they are.
struct StageRecorder::Track {
  explicit Track(std::size_t most) : blocks((most + kBlock - 1) / kBlock) {}

  std::string name;
  const char* queue = nullptr;
  std::uint64_t id = 0;
  std::vector<std::unique_ptr<std::array<StageEvent, kBlock>>> blocks;
  std::atomic<std::size_t> size{0};
  std::array<StageEvent, kDeepest> open;  // of the thread alone, as is the next one
  std::size_t depth = 0;
};

StageRecorder::StageRecorder(std::size_t most)
    : most_(most), number_(++recorders), start_(Clock::now()) {}

StageRecorder::~StageRecorder() = default;

std::uint64_t StageRecorder::since_start(Clock::time_point time) const noexcept {
  const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(time - start_).count();
  return static_cast<std::uint64_t>(std::max<std::int64_t>(ns, 0));
}

// The calling thread's track; null where memory is short.
StageRecorder::Track* StageRecorder::mine() noexcept {
  struct Cached {
    std::uint64_t recorder = 0;
    Track* track = nullptr;
  };
  thread_local Cached cached;
  if (cached.recorder == number_) return cached.track;
  try {
    auto track = std::make_unique<Track>(most_);
    track->id = thread_id();
    track->name = thread_name(track->id);
    const std::lock_guard lock(mutex_);
    threads_.push_back(std::move(track));
    cached = {number_, threads_.back().get()};
    return cached.track;
  } catch (...) {
    return nullptr;
  }
}

void StageRecorder::add(Track& track, const StageEvent& event) noexcept {
  const std::size_t at = track.size.load(std::memory_order_relaxed);
  if (at < most_) {
    auto& block = track.blocks[at / kBlock];
    try {
      if (block == nullptr) block = std::make_unique<std::array<StageEvent, kBlock>>();
      (*block)[at % kBlock] = event;
      track.size.store(at + 1, std::memory_order_release);
      return;
    } catch (...) {  // counted as dropped: a trace must not end a run
    }
  }
  dropped_.fetch_add(1, std::memory_order_relaxed);
}

void StageRecorder::begin(Stage stage, std::uint64_t number) noexcept {
  Track* track = mine();
  if (track == nullptr) return;
  const std::size_t depth = track->depth++;
  if (depth < kDeepest) track->open[depth] = {since_start(Clock::now()), 0, number, stage};
}

void StageRecorder::end(Stage) noexcept {
  Track* track = mine();
  // A thread whose track came late ends what it never began.
  if (track == nullptr || track->depth == 0) return;
  const std::size_t depth = --track->depth;
  if (depth >= kDeepest) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  StageEvent& event = track->open[depth];
  event.end_ns = since_start(Clock::now());
  add(*track, event);
}

void StageRecorder::on_device(const char* queue, Stage stage, Clock::time_point begin,
                              Clock::time_point end) noexcept {
  // Few and rare: a lock for each costs nothing.
  const std::lock_guard lock(mutex_);
  auto found = std::ranges::find_if(
      queues_, [&](const auto& track) { return std::strcmp(track->queue, queue) == 0; });
  if (found == queues_.end()) {
    try {
      auto track = std::make_unique<Track>(most_);
      track->name = queue;
      track->queue = queue;
      track->id = queues_.size() + 1;
      queues_.push_back(std::move(track));
    } catch (...) {
      dropped_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    found = std::prev(queues_.end());
  }
  add(**found, {since_start(begin), since_start(end), kNoNumber, stage});
}

std::vector<StageTrack> StageRecorder::tracks() const {
  const std::lock_guard lock(mutex_);
  std::vector<StageTrack> all;
  const auto copy = [&all](const Track& track, bool device) {
    StageTrack& to = all.emplace_back(StageTrack{track.name, device, track.id, {}});
    const std::size_t size = track.size.load(std::memory_order_acquire);
    to.events.reserve(size);
    for (std::size_t i = 0; i < size; ++i) {
      to.events.push_back((*track.blocks[i / kBlock])[i % kBlock]);
    }
  };
  for (const auto& track : threads_) copy(*track, false);
  for (const auto& track : queues_) copy(*track, true);
  return all;
}

}  // namespace millrace
