#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "formats/dataset.h"
#include "train/trainer.h"

namespace millrace {

/// The cross-entropy of guessing each class as often as it comes, which takes no look at a sample:
/// the entropy of the labels in nats, smoothed and weighted by class as they are in training
/// (`class_weights` empty: not at all). nullopt where there is nothing to guess: fewer than two
/// classes with samples that weigh something.
std::optional<double> guessing_loss(std::span<const std::uint64_t> class_sizes, double smoothing,
                                    std::span<const float> class_weights = {});

/// The largest absolute value of up to 256 samples from all over the set; 0 where one of them
/// cannot be read.
double largest_value(const Dataset& data);

/// What to wish where values are far from 0 and nothing is done to them: "--standardize on: values
/// reach 7.7 and are taken as they are"; else empty.
std::string large_values_text(const RunSpec& spec, const Dataset& data);

/// What to tell of a run that ended hardly better than by guessing, by its training loss and that
/// of validation; empty for others, and for those of a single epoch or of a set without labels at
/// hand. `class_sizes`: of the training set.
std::string nothing_learnt_text(const RunSpec& spec, const RunResult& result, const Dataset& train,
                                std::span<const std::uint64_t> class_sizes);

}  // namespace millrace
