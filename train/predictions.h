#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "compute/engine.h"
#include "compute/spec.h"
#include "formats/dataset.h"
#include "loader/bad_sample.h"
#include "loader/subset.h"

namespace millrace {

/// What a model says of one sample.
struct Prediction {
  std::uint64_t sample = 0;       ///< number in its data set
  std::int32_t label = 0;         ///< of a class; else 0
  std::int32_t guess = 0;         ///< of a class, the first largest logit; else 0
  std::span<const float> logits;  ///< [classes], valid during the call; of a regression its targets
  std::span<const float> targets;  ///< of a loss of numbers, as they are: [targets], likewise
};

/// Samples to look at.
struct Part {
  std::shared_ptr<const Dataset> data;
  Subset subset;
  OnBad on_bad = OnBad::kFail;  ///< or kLeaveOut
};

/// Has `engine`, which holds `model`, look at the samples of `part` in their order, and tells
/// `take` of each, and `report`, where there is one, of those that are left out, chunk by chunk.
/// Returns the sums over all of them. The engine's metrics must be drained before;
/// they are afterwards. `workers` load; 0: as many as there are cores; none where the engine can
/// take the samples from where they lie, or they lie in memory and are few. Throws DataError for
/// samples that cannot be read, unless they are left out.
Metrics predict_all(Engine& engine, const MlpSpec& model, const Part& part, std::uint32_t workers,
                    const std::function<void(const Prediction&)>& take,
                    const std::function<void(std::span<const BadPlace>)>& report = {});

/// exp(logits) over their sum, in double precision.
std::vector<double> softmax(std::span<const float> logits);

/// Of a label that a sample may have: 1 / (1 + exp(-logit)), in double precision.
double sigmoid(float logit);

/// The cross-entropy of one sample, natural logarithm, in double precision.
double cross_entropy(std::span<const float> logits, std::int32_t label);

}  // namespace millrace
