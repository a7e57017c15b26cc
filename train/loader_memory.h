#pragma once

#include <cstdint>

#include "loader/loader.h"

namespace millrace {

/// Bytes of host memory that a loader fills while it runs ahead; 2^64-1 where it is more than that.
struct LoaderMemory {
  std::uint64_t slots = 0;    ///< of as many chunks as the run has, if those are fewer
  std::uint64_t windows = 0;  ///< of a stream: the two that there are at once
};
LoaderMemory loader_memory(const LoaderSpec& spec);

/// Throws std::invalid_argument that names --slots or --shuffle-window where `bytes`, what there
/// is, is less.
void check_loader_memory(const LoaderSpec& spec, std::uint64_t bytes);

/// Of a stream, whose validation samples lie all over its file and are gathered into memory: throws
/// std::invalid_argument that names --val-size where `bytes`, what there is, is less than `samples`
/// of them take.
void check_gathered_memory(const Dataset& data, std::uint64_t samples, std::uint64_t bytes);

}  // namespace millrace
