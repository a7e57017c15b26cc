#pragma once

#include <cstdint>
#include <span>

namespace millrace {

/// How well an order mixes the classes over its batches: 0 where each batch holds a single class,
/// as in a file that is sorted by class, 1 where two samples of a batch are of one class no more
/// often than any two samples of the set, as after a global shuffle.
///
/// With S the share of pairs of samples within a batch that are of one class, and E that share
/// among all pairs of the set, the score is 1 - (S - E) / (1 - E), held in [0, 1]: one minus the
/// agreement above chance of Fleiss, "Measuring nominal scale agreement among many raters"
/// (Psychological Bulletin 1971), with batches for subjects and samples for raters. For windows of
/// W random blocks of one class each it is about 1 - 1 / W.
///
/// `labels` are those of consecutive batches of `batch` samples, all of an epoch or a part of it;
/// class_sizes[c] is how many samples of the whole set are of class c, and each label is below its
/// size. 1 where there is nothing to mix: one class, or no batch of two samples. Throws
/// std::invalid_argument for batch 0, std::out_of_range for a label without a class.
double mixing_score(std::span<const std::int32_t> labels, std::uint32_t batch,
                    std::span<const std::uint64_t> class_sizes);

}  // namespace millrace
