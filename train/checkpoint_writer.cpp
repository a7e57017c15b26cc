#include "train/checkpoint_writer.h"

#include <pthread.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "compute/stage.h"
#include "compute/thread_name.h"

namespace millrace {
namespace {

// One that is taken while another waits. Made before training: their memory may be the device's.
constexpr std::size_t kReady = 2;

}  // namespace

CheckpointWriter::CheckpointWriter(Engine& engine, Write write, HasRoom has_room)
    : engine_(engine), write_(std::move(write)), has_room_(std::move(has_room)) {
  while (spare_.size() < kReady) spare_.push_back(engine_.make_snapshot());
  thread_ = std::thread([this] { run(); });
}

CheckpointWriter::~CheckpointWriter() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::unique_ptr<Snapshot> CheckpointWriter::spare() {
  if (busy() && !has_room_()) finish();
  {
    const std::lock_guard lock(mutex_);
    if (!spare_.empty()) {
      auto snapshot = std::move(spare_.back());
      spare_.pop_back();
      return snapshot;
    }
  }
  return engine_.make_snapshot();
}

void CheckpointWriter::submit(std::unique_ptr<Snapshot> snapshot, RunState state,
                              CheckpointFiles files) {
  std::unique_lock lock(mutex_);
  const auto may_go_on = [&] { return error_ || fits(files); };
  if (!may_go_on()) {
    const StageSpan span(Stage::kCheckpoint, state.step);
    changed_.wait(lock, may_go_on);
  }
  if (error_) {
    spare_.push_back(std::move(snapshot));
    return;
  }
  if (files.last) replace(files);
  waiting_.push_back({std::move(snapshot), std::move(state), files});
  changed_.notify_all();
}

bool CheckpointWriter::fits(const CheckpointFiles& files) const {
  return waiting_.empty() ||
         (files.last && std::ranges::none_of(waiting_, [](const Job& j) { return j.files.step; }));
}

void CheckpointWriter::replace(const CheckpointFiles& by) {
  for (Job& job : waiting_) {
    job.files.last = false;
    if (by.best) job.files.best = false;
    if (job.files == CheckpointFiles{}) spare_.push_back(std::move(job.snapshot));
  }
  std::erase_if(waiting_, [](const Job& job) { return !job.snapshot; });
}

bool CheckpointWriter::busy() const {
  const std::lock_guard lock(mutex_);
  return writing_ || !waiting_.empty();
}

void CheckpointWriter::finish() {
  if (!busy()) return;
  const StageSpan span(Stage::kCheckpoint);
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return waiting_.empty() && !writing_; });
}

std::vector<std::filesystem::path> CheckpointWriter::written() {
  const std::lock_guard lock(mutex_);
  return std::exchange(written_, {});
}

void CheckpointWriter::check() const {
  const std::lock_guard lock(mutex_);
  if (error_) error_.raise();
}

void CheckpointWriter::run() {
  name_thread(pthread_self(), "checkpoints");
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    Job job = std::move(waiting_.front());
    waiting_.pop_front();
    writing_ = true;
    changed_.notify_all();
    lock.unlock();
    KeptError error;
    std::filesystem::path file;
    try {
      file = write(job);
    } catch (...) {
      error = KeptError::current();
    }
    lock.lock();
    writing_ = false;
    if (job.snapshot) spare_.push_back(std::move(job.snapshot));
    if (error) {
      error_ = std::move(error);
      for (Job& dropped : waiting_) spare_.push_back(std::move(dropped.snapshot));
      waiting_.clear();
    } else {
      written_.push_back(std::move(file));
    }
    changed_.notify_all();
  }
}

std::filesystem::path CheckpointWriter::write(Job& job) {
  const StageSpan span(Stage::kCheckpoint, job.state.step);
  auto [parameters, optimizer] = job.snapshot->hand_out();
  {
    const std::lock_guard lock(mutex_);
    spare_.push_back(std::move(job.snapshot));
  }
  return write_({std::move(parameters), std::move(optimizer), std::move(job.state)}, job.files);
}

}  // namespace millrace
