#include "train/run_checkpoints.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "train/best.h"
#include "train/diverged.h"
#include "train/free_memory.h"

namespace millrace {
namespace {

std::filesystem::path write(const CheckpointDir& folder, const Checkpoint& checkpoint,
                            const CheckpointFiles& files) {
  std::filesystem::path written;
  if (files.step) written = folder.save_step(checkpoint);
  if (files.best && files.last) return folder.save_best_and_last(checkpoint);
  if (files.best) written = folder.save_best(checkpoint);
  if (files.last) written = folder.save_last(checkpoint);
  return written;
}

}  // namespace

RunCheckpoints::RunCheckpoints(const CheckpointDir& folder, Engine& engine, RunCheckpointsSpec spec)
    : spec_(std::move(spec)),
      writer_(
          engine,
          [this, &folder](const Checkpoint& checkpoint, const CheckpointFiles& files) {
            check_state(checkpoint.parameters, checkpoint.optimizer, checkpoint.state.step,
                        spec_.steps_per_epoch, spec_.optimizer);
            return write(folder, checkpoint, files);
          },
          // Twice: what is taken may be copied once more to be written.
          [this] { return memory_at_hand() / 2 >= spec_.state_bytes; }) {}

std::uint32_t RunCheckpoints::steps_until_due(std::uint64_t step, std::uint32_t most) const {
  if (spec_.every == 0) return most;
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(most, spec_.every - step % spec_.every));
}

void RunCheckpoints::take() {
  waited_.start();
  if (!taken_) taken_ = writer_.spare();
  taken_->take();
  waited_.stop();
}

void RunCheckpoints::save_step(RunState state) { save(std::move(state), {.step = true}); }

void RunCheckpoints::save_epoch(RunState state) {
  const CheckpointFiles files{due(state.step), last_is_best(state.history), true};
  save(std::move(state), files);
}

void RunCheckpoints::save_stopped(RunState state) {
  if (saved_last_ != std::pair(state.epoch, state.step)) save(std::move(state), {.last = true});
}

void RunCheckpoints::save(RunState state, CheckpointFiles files) {
  if (!taken_) throw std::logic_error("checkpoints: a state that was not taken");
  spec_.before_save();
  if (files.last) saved_last_ = {state.epoch, state.step};
  waited_.start();
  taken_->await();
  writer_.submit(std::move(taken_), std::move(state), files);
  waited_.stop();
  look();
}

void RunCheckpoints::look() {
  for (const auto& file : writer_.written()) {
    newest_ = file;
    spec_.on_checkpoint(file);
  }
  writer_.check();
}

void RunCheckpoints::finish() {
  waited_.start();
  writer_.finish();
  waited_.stop();
  look();
}

}  // namespace millrace
