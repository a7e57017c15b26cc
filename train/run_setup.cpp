#include "train/run_setup.h"

#include <stdexcept>
#include <system_error>
#include <utility>

#include "compute/cuda_engine.h"
#include "formats/error.h"
#include "loader/standardized.h"
#include "loader/worker_pool.h"
#include "train/adapt_checkpoint.h"
#include "train/compatibility.h"
#include "train/dark_on_light.h"
#include "train/free_memory.h"
#include "train/input_standardizer.h"
#include "train/model_memory.h"
#include "train/streaming.h"
#include "train/target_scales.h"

namespace millrace {
namespace {

using Notice = std::function<void(const std::string&)>;

RunIdentity identity_of(const RunSpec& spec, const RunPlan& plan, const Engine& engine,
                        const Dataset& train, std::shared_ptr<const Standardizer> standardizer) {
  RunIdentity identity;
  identity.options.widths = plan.model.widths();
  identity.options.batch = spec.batch;
  identity.options.accumulate = spec.accumulate;
  identity.options.validation_size = plan.split.validation.size();
  identity.options.fold = spec.fold;
  if (spec.validation) {
    identity.options.validation_hash = training_hash(*spec.validation, 0, spec.on_bad);
  }
  identity.options.optimizer = spec.optimizer;
  identity.options.batch_norm = spec.batch_norm;
  identity.options.dropout = spec.dropout;
  identity.options.activation = plan.model.activation;
  identity.options.label_smoothing = spec.label_smoothing;
  identity.options.class_weights = plan.train.class_weights;
  identity.options.loss = plan.model.loss;
  identity.options.target_scales = plan.model.target_scales;
  identity.options.augment = spec.augment;
  identity.options.schedule = spec.schedule;
  if (depends_on_length(spec.schedule)) identity.options.schedule_epochs = spec.epochs;
  identity.options.precision = engine.info().precision;
  identity.options.seed = spec.seed;
  identity.options.shuffle = spec.shuffle;
  identity.options.window_blocks = plan.window_blocks;
  identity.options.on_bad = spec.on_bad;
  const InputType stored = input_type_for(train.dtype());
  identity.options.sample = {train.shape().dims, stored, input_scale_of(stored),
                             dark_on_light_share(train), std::move(standardizer)};
  identity.dataset = train.name();
  identity.dataset_hash = training_hash(train, plan.window_blocks, spec.on_bad);
  identity.epochs = spec.epochs;
  identity.steps_per_epoch = plan.steps_per_epoch;
  return identity;
}

std::optional<FoundCheckpoint> find_checkpoint(const RunSpec& spec, const Notice& notice) {
  if (spec.resume_state) return FoundCheckpoint{{}, *spec.resume_state};
  if (!spec.resume) return std::nullopt;
  if (const auto& from = spec.resume_from; !from.empty()) {
    std::error_code error;
    if (!std::filesystem::is_directory(from, error)) {
      return FoundCheckpoint{from, load_checkpoint(from)};
    }
    auto found = newest_good(from, notice);
    if (!found) throw DataError(from, std::nullopt, "a checkpoint to resume from", "none");
    return found;
  }
  if (spec.checkpoint_dir.empty()) {
    throw std::invalid_argument("resume: expected a file or a checkpoint folder, found neither");
  }
  auto found = newest_good(spec.checkpoint_dir, notice);
  if (!found) {
    notice("no checkpoint in " + spec.checkpoint_dir.string() + ": starting a new run");
  }
  return found;
}

void restore(RunSetup& setup, FoundCheckpoint found, const RunSpec& spec,
             const RunIdentity& identity, const Notice& notice) {
  for (const std::string& line : check_compatible(found.path, found.checkpoint.state, identity)) {
    notice(line);
  }
  if (const auto lacks = adapt_checkpoint(found.checkpoint, setup.plan.model, spec.optimizer)) {
    notice(found.path.string() + " has " + *lacks);
  }
  setup.engine->set_parameters(found.checkpoint.parameters);
  setup.engine->set_optimizer_state(found.checkpoint.optimizer);
  setup.state = std::move(found.checkpoint.state);
  setup.resumed_from = std::move(found.path);
}

}  // namespace

RunSetup set_up(const RunSpec& spec, const std::shared_ptr<const Dataset>& train,
                const Dataset* test, const Notice& notice, const EngineMaker& make) {
  RunSetup setup;
  setup.plan = make_plan(spec, *train, test);
  setup.schedule.emplace(spec.schedule, spec.optimizer.learning_rate, setup.plan.steps_per_epoch,
                         spec.epochs);
  const bool on_cpu = spec.device.kind == Device::Kind::kCpu ||
                      (spec.device.kind == Device::Kind::kAuto && !cuda_obstacle().empty());
  check_memory(setup.plan.model, setup.plan.train,
               on_cpu ? WorkerPool::resolve(spec.device.threads) : 0, memory_at_hand());
  auto found = find_checkpoint(spec, notice);
  setup.plan.model.target_scales =
      target_scales(spec, setup.plan, *train, found ? &*found : nullptr, notice);
  setup.engine = make ? make(setup.plan.model, setup.plan.train, spec.device)
                      : make_engine(setup.plan.model, setup.plan.train, spec.device);
  const EngineInfo info = setup.engine->info();
  if (!info.notice.empty()) notice(info.notice);
  setup.plan.workers = workers_beside(info, spec, *train);
  if (!spec.checkpoint_dir.empty()) setup.checkpoints.emplace(spec.checkpoint_dir, spec.keep);
  setup.standardizer =
      input_standardizer(spec, setup.plan, *train, found ? &*found : nullptr, notice);
  setup.plan.window_blocks = stream_window(
      spec, *standardized(train, setup.standardizer),
      found ? std::optional(found->checkpoint.state.options.window_blocks) : std::nullopt);
  const RunIdentity identity =
      identity_of(spec, setup.plan, *setup.engine, *train, setup.standardizer);
  if (found) {
    restore(setup, std::move(*found), spec, identity, notice);
  } else if (!spec.init.empty()) {
    const auto file = checkpoint_meant(spec.init);
    if (file != spec.init) notice("the first weights are those of " + file.string());
    setup.engine->set_parameters(load_parameters(file, setup.plan.model));
  }
  setup.state.dataset_hash = identity.dataset_hash;
  setup.state.class_names = train->class_names();
  setup.state.columns = train->column_names();
  setup.state.options = identity.options;
  return setup;
}

}  // namespace millrace
