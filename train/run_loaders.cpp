#include "train/run_loaders.h"

#include <algorithm>

namespace millrace {

LoaderSpec evaluation_loader(const RunSpec& run, const RunPlan& plan,
                             const std::shared_ptr<const Dataset>& data, const Placement& placement,
                             std::uint64_t bad_budget) {
  LoaderSpec spec;
  spec.data = data;
  spec.kind = placement.kind;
  spec.source = placement.source;
  spec.window_blocks = placement.window_blocks;
  spec.batch = evaluation_batch(plan.model);
  spec.slots = std::min(2U, run.slots);
  spec.workers = plan.workers;
  spec.seed = run.seed;
  spec.on_bad = run.on_bad;
  spec.bad_budget = bad_budget;
  for (const BadPlace& bad : placement.bad) spec.bad.push_back(bad.place);
  return spec;
}

LoaderSpec training_loader(const RunSpec& run, const RunPlan& plan,
                           const std::shared_ptr<const Dataset>& data, const Placement& placement,
                           std::uint64_t bad_budget) {
  LoaderSpec spec = evaluation_loader(run, plan, data, placement, bad_budget);
  spec.subset = plan.split.train;
  spec.batch = plan.batch;
  spec.chunk_batches = chunk_batches(run, plan, placement.kind);
  spec.slots = run.slots;
  spec.shuffle = run.shuffle;
  spec.augment = run.augment;
  spec.epochs = run.epochs;
  return spec;
}

}  // namespace millrace
