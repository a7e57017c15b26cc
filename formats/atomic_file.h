#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/file_descriptor.h"

namespace millrace {

/// A file that appears whole or not at all. What is written goes to a temporary file in the same
/// folder; commit() makes it durable (fsync), renames it over `path` and makes the rename durable
/// (fsync of the folder). Until then an older file at `path` stays as it was, whatever happens: a
/// full disk, an exception, a kill. Dropped without commit(), the temporary is removed; one that a
/// killed process left goes when its file is written again. Several writers of one path at once
/// have a temporary each, and the last commit() stays.
///
/// An older file's permissions are kept; a symbolic link at `path` is replaced, not followed.
/// Move-only, one thread at a time.
class AtomicFile {
 public:
  /// Creates the temporary. Throws DataError if the folder is missing or cannot be written, or if
  /// `path` is a folder, device or pipe, or a link to one.
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&& other) = delete;

  /// Appends; small pieces are gathered. Throws DataError when the system refuses (disk full, …),
  /// naming `path`; the file can then only be dropped.
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  /// Makes what is written so far durable (fsync) where it is: of files that are to appear together
  /// the last one can then hardly fail after the first one has appeared. Throws as write() does.
  void sync();
  /// Throws DataError; the older file is then still there, unless it was the folder's fsync that
  /// failed.
  void commit();

  /// Bytes written so far.
  std::uint64_t size() const noexcept { return size_; }
  const std::filesystem::path& path() const noexcept { return path_; }
  /// Where the bytes are until commit().
  std::filesystem::path temporary() const;

 private:
  void flush();
  void write_through(std::span<const std::byte> bytes);
  void discard() noexcept;
  void check_open() const;

  std::filesystem::path path_;
  std::string temporary_name_;  // empty: committed, discarded or moved from
  FileDescriptor folder_;
  FileDescriptor file_;
  std::vector<std::byte> buffer_;
  std::uint64_t size_ = 0;
  bool failed_ = false;
};

/// Makes `path` another name of the file `existing`, in the same folder, in place of what was
/// there: wholly or not at all, and durable, like AtomicFile. Returns false where the file system
/// has no hard links; throws DataError if it cannot be done for another reason.
bool replace_by_link(const std::filesystem::path& existing, const std::filesystem::path& path);

/// Makes what came into the folder of `path` or left it durable, as far as the file system knows
/// how. Throws DataError, of `path`.
void sync_folder_of(const std::filesystem::path& path);

/// Removes the temporaries that killed processes left in `folder`, and returns how many. One that
/// somebody is still writing is locked, and stays. A missing folder counts as clean. Throws
/// DataError if the folder cannot be listed.
std::size_t remove_stale_temporaries(const std::filesystem::path& folder);

}  // namespace millrace
