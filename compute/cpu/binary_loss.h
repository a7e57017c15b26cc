#pragma once

#include "compute/cpu/target_loss.h"

namespace millrace::cpu {

/// target_loss() for targets that are 0 or 1, whether a sample has a label, and logits z. A row's
/// loss is the mean over its labels of
///     max(z, 0) - z target + log(1 + exp(-|z|))
/// which is -log sigmoid(z), or of its opposite, without its overflow; its slope is
/// sigmoid(z) - target. `squared_errors`: how many labels are wrong, z >= 0 being a yes.
/// In float32, by operations that every instruction set rounds alike, so that no bit depends on
/// one; errors are below 3 units in the last place of sigmoid and logarithm.
void binary_loss(const TargetLoss& op);

}  // namespace millrace::cpu
