#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compute/engine.h"
#include "tools/image/picture.h"
#include "tools/report/scatter.h"
#include "train/confusion.h"
#include "train/label_scores.h"
#include "train/predictions.h"
#include "train/target_errors.h"

namespace millrace {

/// A sample that the model took for something else.
struct Mistake {
  std::uint64_t sample = 0;  ///< number in its data set
  std::int32_t label = 0;
  std::int32_t guess = 0;
  double guess_share = 0.0;  ///< what the softmax gives the guess
  double label_share = 0.0;  ///< and the truth
  double loss = 0.0;
  std::optional<Picture> picture;  ///< none where samples are no pictures
};

/// A target that was predicted far from what it is.
struct FarOff {
  std::uint64_t sample = 0;  ///< number in its data set
  std::size_t target = 0;
  float truth = 0.0F;
  float predicted = 0.0F;
  double error = 0.0;  ///< absolute, in the unit that the network is trained in
};

/// What a model made of a split.
struct Judged {
  std::string split;  ///< "test"
  Metrics metrics;
  Confusion confusion{0};              ///< without classes where they are not what is learnt
  std::vector<Mistake> worst;          ///< of classes, the largest loss first
  std::optional<TargetErrors> errors;  ///< of a regression, as what follows
  std::vector<FarOff> farthest;        ///< the largest error first
  /// Of each of the first few targets: of many samples every n-th.
  std::vector<std::vector<Scatter::Point>> points;
  std::optional<LabelScores> labels;  ///< that samples have or have not
};

/// Has `engine`, which holds `model`, look at the samples of `part`. Keeps at most `most` of its
/// mistakes, or of a regression's targets that are far off a few. Throws what predict_all throws.
Judged judge(Engine& engine, const MlpSpec& model, const Part& part, const std::string& split,
             std::uint32_t workers, std::size_t most);

}  // namespace millrace
