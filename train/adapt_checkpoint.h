#pragma once

#include <optional>
#include <string>

#include "compute/spec.h"
#include "train/checkpoint.h"

namespace millrace {

/// Makes of `checkpoint` what a run starts from that goes on with another dropout or optimizer:
/// tensors under the names that `model` has, for dropout takes places in torch.nn.Sequential, and
/// all of optimizer_state_shapes(). What the checkpoint has of that state is kept. Moments that it
/// lacks start from zero, which the words returned tell of ("no momentum: …"); the number of steps
/// goes on, unless it is that of Adam's moments and they start.
///
/// The models are the same but for dropout, and both optimizers average the weights or neither.
std::optional<std::string> adapt_checkpoint(Checkpoint& checkpoint, const MlpSpec& model,
                                            const OptimizerSpec& optimizer);

}  // namespace millrace
