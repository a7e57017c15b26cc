#include "train/run_info.h"

#include "train/streaming.h"

namespace millrace {

RunInfo run_info(const RunSpec& run, const RunSetup& setup, const Dataset& train,
                 const Dataset* test, const Placement& placement, std::uint64_t bad_budget) {
  RunInfo info;
  info.engine = setup.engine->info();
  info.dataset = train.name();
  info.dataset_hash = setup.state.dataset_hash;
  info.residency = placement.window_blocks != 0            ? "stream"
                   : placement.kind == ChunkKind::kIndices ? "resident"
                                                           : "host";
  if (placement.window_blocks != 0) {
    info.window_blocks = placement.window_blocks;
    info.mixing = stream_mixing(run, setup.plan, train);
  }
  info.train_samples = setup.plan.split.train.size();
  info.validation_samples =
      run.validation ? run.validation->size() : setup.plan.split.validation.size();
  info.test_samples = test != nullptr ? test->size() : 0;
  info.task = task_of(setup.plan.model.loss);
  info.widths = setup.plan.model.widths();
  info.parameters = setup.plan.model.parameter_count();
  info.on_bad = run.on_bad;
  info.bad_budget = bad_budget;
  info.standardizer = setup.standardizer;
  info.target_scales = setup.plan.model.target_scales;
  info.epochs = run.epochs;
  info.steps_per_epoch = setup.plan.steps_per_epoch;
  info.first_epoch = setup.state.epoch;
  info.first_step_in_epoch = setup.state.batch;
  info.resumed_from = setup.resumed_from;
  return info;
}

}  // namespace millrace
