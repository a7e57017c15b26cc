#pragma once

#include "loader/augment.h"
#include "tools/console/command_line.h"

namespace millrace {

/// Declares --rotate, --shift, --scale, --shear, --elastic and --elastic-sigma, which fill
/// `augment`; it outlives `line`.
void declare_augmentation(CommandLine& line, AugmentSpec& augment);

}  // namespace millrace
