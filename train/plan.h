#pragma once

#include <cstdint>
#include <memory>

#include "compute/engine.h"
#include "compute/spec.h"
#include "formats/dataset.h"
#include "loader/loader.h"
#include "loader/subset.h"
#include "train/trainer.h"

namespace millrace {

/// What follows from a spec and its data sets before anything is allocated.
struct RunPlan {
  MlpSpec model;
  TrainSpec train;
  Split split;
  /// Of an optimizer step: all the batches that it accumulates, or the training samples where they
  /// are fewer.
  std::uint32_t batch = 0;
  std::uint64_t steps_per_epoch = 0;
  std::uint64_t window_blocks = 0;  ///< of a stream; see stream_window()
  std::uint32_t workers = 0;        ///< as LoaderSpec::workers
};

/// Throws std::invalid_argument for a spec that cannot run on this data, DataError where the test
/// or the validation set does not go with the training set: another shape or type of samples, or
/// labels it has no class for. `test` may be null.
RunPlan make_plan(const RunSpec& spec, const Dataset& train, const Dataset* test);

/// LoaderSpec::workers for that engine: the spec's, or, where there is none, one less than there
/// are cores if the engine's caller polls it and fills chunks of `train` itself when it has none. A
/// worker on its core would hold up the chunk of which it fills a part.
std::uint32_t workers_beside(const EngineInfo& engine, const RunSpec& spec, const Dataset& train);

/// What samples are multiplied by: bytes become 0 to 1, all else is taken as it is.
float input_scale_of(InputType input) noexcept;

/// Batches of a chunk: the spec's, or 64 index batches, or as many packed ones as make a few MB;
/// never more than an epoch has.
std::uint32_t chunk_batches(const RunSpec& spec, const RunPlan& plan, ChunkKind kind);

/// Samples that evaluation hands to the engine at once: a function of model and data alone, so that
/// sums of losses are rounded in the same places in every run. Takes in the order of 10 ms.
std::uint32_t evaluation_batch(const MlpSpec& model);

}  // namespace millrace
