#pragma once

#include "loader/augment.h"
#include "tools/console/command_line.h"

namespace millrace {

/// Declares --rotate, --shift, --scale, --shear, --elastic and --elastic-sigma, which fill
/// `augment`; it outlives `line`.
void declare_augmentation(CommandLine& line, AugmentSpec& augment);

/// Throws UsageError for an --elastic-sigma of nothing; one of a recipe becomes the usual one.
void check_augmentation(CommandLine& line, AugmentSpec& augment);

}  // namespace millrace
