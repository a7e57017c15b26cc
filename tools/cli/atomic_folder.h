#pragma once

#include <filesystem>

#include "formats/file_descriptor.h"

namespace millrace {

/// A folder that appears whole or not at all: it is filled under a temporary name beside its own;
/// then sync() makes what is in it durable, and commit() renames it. Dropped without commit(), the
/// temporary is removed with all that is in it. Move-only.
class AtomicFolder {
 public:
  /// Makes the temporary. Throws DataError if that cannot be made.
  explicit AtomicFolder(std::filesystem::path path);
  ~AtomicFolder();
  AtomicFolder(AtomicFolder&& other) noexcept;
  AtomicFolder& operator=(AtomicFolder&& other) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }
  /// Where to put files until commit().
  const std::filesystem::path& temporary() const noexcept { return temporary_; }
  /// Makes what is in it durable (syncfs) where it is, so that little is left for commit() to fail
  /// at. Throws DataError.
  void sync() const;
  /// After sync(). An older folder at path() is replaced in one step, and removed then. Throws
  /// DataError; the older folder is then as it was.
  void commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;  // empty: committed
  FileDescriptor lock_;
};

/// Removes the temporary folders that killed processes left in `folder`. One that somebody is still
/// filling is locked, and stays. A missing folder counts as clean.
void remove_stale_folders(const std::filesystem::path& folder);

}  // namespace millrace
