#include "python/run_thread.h"

#include <utility>

#include "tools/trainer/checkpoint_guard.h"

namespace millrace {

RunThread::RunThread(RunSpec spec, std::shared_ptr<const Dataset> train,
                     std::shared_ptr<const Dataset> test, const Options& options)
    : options_(options),
      thread_([this, run = std::move(spec), data = std::move(train), other = std::move(test)] {
        this->run(run, data, other);
      }) {}

RunThread::~RunThread() {
  stop_ = true;
  {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void RunThread::run(const RunSpec& spec, const std::shared_ptr<const Dataset>& train,
                    const std::shared_ptr<const Dataset>& test) {
  try {
    Trainer trainer(spec, train, test, {this});
    // Only now nobody else's run can leave any.
    if (!options_.replaces) refuse_to_replace_checkpoints(spec);
    finished_.result = trainer.fit(stop_);
    finished_.checkpoint = trainer.checkpoint();
  } catch (...) {
    error_ = std::current_exception();
  }
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
}

void RunThread::on_epoch(const EpochResult& epoch) {
  if (options_.tells_epochs) tell(epoch);
}

void RunThread::tell(Event event) {
  std::unique_lock lock(mutex_);
  event_ = std::move(event);
  handed_out_ = false;
  changed_.notify_all();
  changed_.wait(lock, [&] { return !event_ || abandoned_; });
}

std::optional<RunThread::Event> RunThread::wait_for(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  if (handed_out_) {
    event_.reset();
    handed_out_ = false;
    changed_.notify_all();
  }
  changed_.wait_for(lock, limit, [&] { return event_ || ended_; });
  if (!event_) return std::nullopt;
  handed_out_ = true;
  return event_;
}

bool RunThread::ended() const {
  const std::lock_guard lock(mutex_);
  return ended_;
}

FinishedRun RunThread::finish() {
  if (thread_.joinable()) thread_.join();
  if (error_) std::rethrow_exception(error_);
  return std::move(finished_);
}

}  // namespace millrace
