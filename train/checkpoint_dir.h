#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "formats/file_descriptor.h"
#include "train/checkpoint.h"

namespace millrace {

struct FoundCheckpoint {
  std::filesystem::path path;
  Checkpoint checkpoint;
};

/// The checkpoints of a run in one folder: last.safetensors, best.safetensors and the newest
/// step-N.safetensors. A file is replaced only by one that is wholly on disk.
class CheckpointDir {
 public:
  /// Makes the folder where it is missing, removes temporaries of killed runs, and throws DataError
  /// if the folder cannot be written or another run is writing to it, before anything is trained.
  /// Nobody else's run can have it until the destructor. `keep` is how many step-N files
  /// stay, at least 1.
  CheckpointDir(std::filesystem::path folder, std::uint32_t keep);

  /// Each returns the file written. Throw DataError if it cannot be: what was there stays.
  std::filesystem::path save_last(const Checkpoint& checkpoint) const;
  std::filesystem::path save_best(const Checkpoint& checkpoint) const;
  /// best, and last as another name of it: what one file costs. The checkpoint is in best before it
  /// is in last, so that a kill between them loses neither.
  std::filesystem::path save_best_and_last(const Checkpoint& checkpoint) const;
  /// step-N by the state's step; then removes the oldest step-N beyond `keep`, never this one.
  std::filesystem::path save_step(const Checkpoint& checkpoint) const;

  /// Removes all checkpoints in the folder, another run's. Throws DataError if one cannot be.
  void clear() const;

  const std::filesystem::path& folder() const noexcept { return folder_; }

 private:
  void prune(const std::filesystem::path& written) const;

  std::filesystem::path folder_;
  FileDescriptor lock_;
  std::uint32_t keep_;
};

/// The names of the checkpoints in `folder`, in the order of their names; none where there is no
/// such folder. Throws DataError if it cannot be listed.
std::vector<std::string> checkpoint_names(const std::filesystem::path& folder);

/// The checkpoint that `path` means to whoever wants to use it: the file itself, or, of a folder of
/// checkpoints, best.safetensors, else last.safetensors. Throws DataError for a folder that has
/// neither, naming what lies there.
std::filesystem::path checkpoint_meant(const std::filesystem::path& path);

/// The checkpoint of `folder` that was written last and is whole. One that is damaged is told to
/// `notice` and passed over. nullopt if there is no checkpoint at all (or no such folder); throws
/// DataError if there are some and all are damaged.
std::optional<FoundCheckpoint> newest_good(const std::filesystem::path& folder,
                                           const std::function<void(const std::string&)>& notice);

}  // namespace millrace
