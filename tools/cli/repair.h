#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "formats/dataset.h"
#include "formats/idx_salvage.h"

namespace millrace {

struct RepairSpec {
  std::filesystem::path in;           ///< a folder of IDX files, or one of them, or a sharded set
  std::filesystem::path out;          ///< a folder, made where it is missing
  Task task = Task::kClassification;  ///< what labels are; of a sharded set its manifest says so
  std::uint32_t jobs = 0;             ///< threads that compress; 0: the cores this process may use
  bool force = false;                 ///< replace files that are there
};

struct RepairedFile {
  std::filesystem::path from;
  std::filesystem::path to;  ///< empty: nothing was left of a shard
  std::uint64_t samples_before = 0;
  std::uint64_t samples = 0;
  std::vector<SampleRange> dropped;  ///< of the samples before
  std::vector<IdxFault> faults;      ///< that the file had
};

/// Writes the IDX files at `spec.in` anew, as seekable zstd under their own names, with the samples
/// that are sound. Of a pair, images and labels, both files lose the samples that one of them has
/// lost or whose label is none, so that they go on belonging together; a single file loses its own.
/// Where no sample is lost the content is the same byte for byte. Files appear together when all
/// are written. Of a sharded set see repair_shards. `progress` is told files done and in all; where
/// it returns false nothing is written and the result is empty. Throws DataError where there are no
/// IDX files, no sample of one can be salvaged, or the new file may not be written (see target_in).
std::vector<RepairedFile> repair(
    const RepairSpec& spec, const std::function<bool(std::size_t done, std::size_t all)>& progress);

}  // namespace millrace
