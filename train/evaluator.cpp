#include "train/evaluator.h"

#include <stdexcept>
#include <utility>

#include "formats/error.h"
#include "train/await_chunk.h"

namespace millrace {
namespace {

// Any chunk's sums are the same then, whatever chunk_batches the training loader has.
LoaderSpec one_batch_a_chunk(LoaderSpec spec) {
  spec.shuffle = false;
  spec.chunk_batches = 1;
  // What stands in for others would be measured twice.
  if (spec.on_bad != OnBad::kFail) spec.on_bad = OnBad::kLeaveOut;
  return spec;
}

}  // namespace

Evaluator::Evaluator(Engine& engine, LoaderSpec spec, Report report)
    : engine_(engine),
      data_(spec.data->name()),
      report_(std::move(report)),
      loader_(one_batch_a_chunk(std::move(spec)), {}, engine.host_memory()) {}

std::optional<Metrics> Evaluator::pass(const std::atomic<bool>& stop) {
  begin_pass(stop);
  return end_pass();
}

void Evaluator::begin_pass(const std::atomic<bool>& stop) {
  whole_ = hand_over(stop);
  engine_.close_metrics();
}

std::optional<Metrics> Evaluator::end_pass() {
  const Metrics metrics = engine_.metrics();
  if (!whole_) return std::nullopt;  // of half a pass: nobody's
  if (metrics.samples == 0) throw DataError(data_, "none of the samples to evaluate can be read");
  return metrics;
}

// False if stopped.
bool Evaluator::hand_over(const std::atomic<bool>& stop) {
  for (bool last = false; !last;) {
    if (stop.load(std::memory_order_relaxed) || !await_chunk(loader_, stop)) {
      loader_.stop();
      return false;
    }
    const auto lease = loader_.next();
    if (!lease) throw std::logic_error("evaluator: more passes than its loader was made for");
    if (!lease->bad().empty()) report_(lease->bad());
    if (lease->chunk().count != 0) engine_.evaluate(lease->chunk());
    last = lease->last_in_epoch();
  }
  return true;
}

}  // namespace millrace
