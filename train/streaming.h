#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "formats/dataset.h"
#include "train/placement.h"
#include "train/plan.h"
#include "train/trainer.h"

namespace millrace {

/// Blocks of the shuffle window that a run streams its training samples with; 0: it does not
/// stream.
///
/// Residency::kStream streams, and kAuto where the samples are in a BlockDataset and would fill
/// more than half of the free memory. A run that is resumed does as it did, `recorded`, unless the
/// spec says otherwise. Throws std::invalid_argument where kStream is asked of another kind of data
/// set.
std::uint64_t stream_window(const RunSpec& spec, const Dataset& train,
                            std::optional<std::uint64_t> recorded);

/// The placement of a whole data set that is read in its stored order, once `placed` is what
/// place() made of it: packed chunks of a BlockDataset are a stream, which brings the same samples
/// in the same order, and decodes each block once.
Placement in_stored_order(Placement placed, const Dataset& data);

/// How well the windows mix the classes in batches of the first epoch (mixing_score), judged by the
/// first windows of it with in all about a hundred thousand samples. `train`: a BlockDataset.
double stream_mixing(const RunSpec& spec, const RunPlan& plan, const Dataset& train);

/// The hash of a training set that a run and its checkpoints are known by: of the content, or where
/// it is streamed of what its files say of it (BlockDataset::fingerprint), which takes no decoding,
/// if they do say something. Unless `on_bad` is kFail,
/// samples that cannot be read are a part of that content (hash_readable); else they throw.
std::string training_hash(const Dataset& train, std::uint64_t window_blocks,
                          OnBad on_bad = OnBad::kFail);

}  // namespace millrace
