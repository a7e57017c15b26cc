#include "train/epoch_loop.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "train/await_chunk.h"
#include "train/diverged.h"

namespace millrace {
namespace {

using Clock = std::chrono::steady_clock;

// Often enough for a moving bar and to end a diverged run soon; asking makes some engines wait.
constexpr std::chrono::milliseconds kDrainInterval{50};

// As many as an engine takes before it makes its caller wait.
constexpr std::uint32_t kChunksAhead = 4;

}  // namespace

EpochLoop::EpochLoop(EpochLoopSpec spec, Engine& engine, const LoaderSpec& loader,
                     LoaderState start)
    : spec_(std::move(spec)),
      engine_(engine),
      loader_(loader, start, engine.host_memory()),
      runs_ahead_(engine.info().runs_ahead) {}

bool EpochLoop::run(RunState& state, const std::atomic<bool>& stop, std::function<void()> owed) {
  owed_ = std::move(owed);
  chunks_ = 0;
  try {
    const bool complete = train(state, stop);
    pay();
    if (spec_.checkpoints != nullptr) pause([this] { spec_.checkpoints->take(); });
    engine_.close_metrics();
    ended_ = {state.epoch, drained_step_, paused_.total()};
    return complete;
  } catch (...) {
    pay();  // what went wrong there went wrong before
    throw;
  }
}

bool EpochLoop::train(RunState& state, const std::atomic<bool>& stop) {
  clock_ = paused_ = Stopwatch{};
  clock_.start();
  last_drain_ = Clock::now();
  drained_step_ = state.step;
  epoch_samples_ = 0;
  begin_lap();
  while (state.batch < spec_.steps_per_epoch) {
    if (stop.load(std::memory_order_relaxed) || !await_chunk(loader_, stop)) return false;
    const auto lease = loader_.next();
    if (!lease || lease->position() != LoaderState{state.epoch, state.batch}) {
      throw std::logic_error("epoch loop: the loader is not where the run is");
    }
    if (!lease->bad().empty()) {
      pay();
      spec_.on_bad(lease->bad());
    }
    if (!run_chunk(lease->chunk(), state, stop)) return false;
    if (++chunks_ == kChunksAhead) pay();
  }
  return true;
}

void EpochLoop::pay() {
  if (const auto owed = std::exchange(owed_, nullptr)) owed();
}

bool EpochLoop::run_chunk(const Chunk& chunk, RunState& state, const std::atomic<bool>& stop) {
  const std::uint32_t batches = chunk.batches();
  for (std::uint32_t done = 0; done < batches;) {
    std::uint32_t steps = batches - done;
    if (spec_.checkpoints != nullptr) {
      steps = spec_.checkpoints->steps_until_due(state.step, steps);
    }
    steps = pacer_.next(steps);
    Chunk slice = chunk.slice(done, steps);
    if (spec_.schedule) {
      rates_.resize(steps);
      for (std::uint32_t s = 0; s < steps; ++s) rates_[s] = spec_.schedule->at(state.step + s);
      slice.learning_rates = rates_;
    }
    Stopwatch lap;
    engine_.train(slice);
    pacer_.took(steps, lap.stop());
    done += steps;
    state.batch += steps;
    state.step += steps;
    samples_ += slice.count;
    epoch_samples_ += slice.count;
    const bool last = state.batch == spec_.steps_per_epoch;
    if (spec_.checkpoints != nullptr && spec_.checkpoints->due(state.step) && !last) {
      begin_checkpoint(state);
    }
    if (Clock::now() - last_drain_ >= kDrainInterval) {
      drain(state);
      report(state);
    }
    if (!last && stop.load(std::memory_order_relaxed)) return false;
  }
  return true;
}

// The engine gets the next steps before anybody waits for the sums of those before.
void EpochLoop::begin_checkpoint(RunState& state) {
  pay();
  pause([&] {
    spec_.checkpoints->take();
    engine_.close_metrics();
    chunks_ = 0;
    owed_ = [this, &state, first = drained_step_, batch = state.batch, step = state.step] {
      fetch(first, state.epoch, state.sums);
      RunState then = state;
      then.batch = batch;
      then.step = step;
      spec_.checkpoints->save_step(std::move(then));
    };
    drained_step_ = state.step;
    if (!runs_ahead_) pay();
  });
}

// An engine that runs ahead goes on meanwhile.
template <class Work>
void EpochLoop::pause(const Work& work) {
  if (runs_ahead_) return work();
  clock_.stop();
  paused_.start();
  work();
  paused_.stop();
  clock_.start();
}

void EpochLoop::drain(RunState& state) {
  pay();
  last_drain_ = Clock::now();
  if (drained_step_ == state.step) return;
  fetch(drained_step_, state.epoch, state.sums);
  drained_step_ = state.step;
}

EpochLoop::Settled EpochLoop::settle(EpochSums& sums) {
  const Metrics metrics = fetch(ended_.first_step, ended_.epoch, sums);
  return {metrics.done, ended_.paused_s};
}

Metrics EpochLoop::fetch(std::uint64_t first_step, std::uint64_t epoch, EpochSums& sums) {
  const Metrics metrics = engine_.metrics();
  check_losses(metrics, first_step, epoch, spec_.optimizer);
  sums.loss_sum += metrics.loss_sum;
  sums.correct += metrics.correct;
  sums.samples += metrics.samples;
  sums.squared_error_sum += metrics.squared_error_sum;
  sums.squared_error_rest += metrics.squared_error_rest;
  return metrics;
}

void EpochLoop::report(const RunState& state) {
  const double seconds = clock_.now();
  Progress progress;
  progress.epoch = state.epoch;
  progress.step = state.batch;
  progress.steps = spec_.steps_per_epoch;
  progress.samples_per_s = seconds > 0.0 ? static_cast<double>(epoch_samples_) / seconds : 0.0;
  progress.mean_loss = state.sums.loss_sum / static_cast<double>(state.sums.samples);
  const LoaderStats now = loader_.stats();
  const double lap = std::chrono::duration<double>(Clock::now() - lap_start_).count();
  const auto share = [&](double spent, double threads) {
    return lap > 0.0 && threads > 0.0 ? std::clamp(spent / (lap * threads), 0.0, 1.0) : 0.0;
  };
  progress.training = 1.0 - share(now.consumer.starved - lap_stats_.consumer.starved, 1.0);
  progress.loading = share(now.fill.busy - lap_stats_.fill.busy, static_cast<double>(now.workers));
  begin_lap();
  spec_.on_progress(progress);
}

void EpochLoop::begin_lap() {
  lap_stats_ = loader_.stats();
  lap_start_ = Clock::now();
}

}  // namespace millrace
