#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compute/engine.h"
#include "tools/image/picture.h"
#include "train/confusion.h"
#include "train/predictions.h"

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

/// What a model made of a split.
struct Judged {
  std::string split;  ///< "test"
  Metrics metrics;
  Confusion confusion{0};
  std::vector<Mistake> worst;  ///< the largest loss first
};

/// Has `engine`, which holds `model`, look at the samples of `part`. Keeps at most `most` of its
/// mistakes. Throws what predict_all throws.
Judged judge(Engine& engine, const MlpSpec& model, const Part& part, const std::string& split,
             std::uint32_t workers, std::size_t most);

}  // namespace millrace
