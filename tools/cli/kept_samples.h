#pragma once

#include <vector>

#include "formats/idx_salvage.h"
#include "formats/seekable_idx.h"

namespace millrace {

/// `kept`, by sample, without the samples of `faults`.
void leave_out(const std::vector<IdxFault>& faults, std::vector<bool>& kept);
/// Appends the samples of `source`, which has a header, that are kept; those beyond `kept` are not.
void append_kept(const SalvagedIdx& source, const std::vector<bool>& kept,
                 SeekableIdxWriter& writer);

}  // namespace millrace
