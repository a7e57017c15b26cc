#include "train/evaluator.h"

#include <stdexcept>
#include <utility>

#include "train/await_chunk.h"

namespace millrace {
namespace {

// Any chunk's sums are the same then, whatever chunk_batches the training loader has.
LoaderSpec one_batch_a_chunk(LoaderSpec spec) {
  spec.shuffle = false;
  spec.chunk_batches = 1;
  return spec;
}

}  // namespace

Evaluator::Evaluator(Engine& engine, LoaderSpec spec)
    : engine_(engine), loader_(one_batch_a_chunk(std::move(spec)), {}, engine.host_memory()) {}

std::optional<Metrics> Evaluator::pass(const std::atomic<bool>& stop) {
  bool last = false;
  while (!last) {
    if (stop.load(std::memory_order_relaxed) || !await_chunk(loader_, stop)) {
      loader_.stop();
      engine_.metrics();  // of half a pass: nobody's
      return std::nullopt;
    }
    const auto lease = loader_.next();
    if (!lease) throw std::logic_error("evaluator: more passes than its loader was made for");
    engine_.evaluate(lease->chunk());
    last = lease->last_in_epoch();
  }
  return engine_.metrics();
}

}  // namespace millrace
