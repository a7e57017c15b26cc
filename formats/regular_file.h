#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <filesystem>
#include <optional>

#include "formats/bytes.h"
#include "formats/file_descriptor.h"
#include "formats/file_stamp.h"

namespace millrace {

/// A regular file, open for reading.
struct RegularFile {
  /// Throws DataError if `path` cannot be opened or is not a regular file (a folder, device or
  /// pipe), ChangedFile if it is not the one that is `known`.
  explicit RegularFile(std::filesystem::path path,
                       const std::optional<FileStamp>& known = std::nullopt);

  std::filesystem::path path;
  FileDescriptor descriptor;
  struct stat status {};  ///< as it was opened
};

/// The first `size` bytes of it, read into memory. Throws DataError where reading fails or the file
/// ends before.
Bytes read_front(const RegularFile& file, std::size_t size);

inline constexpr std::size_t kMostRead = std::size_t{16} << 20;

/// All of a file, for those that are opened one after the other by many threads: read into memory,
/// for a mapping costs more than a copy, and all threads of the process wait while one is made or
/// given up. A file that is cut short meanwhile, or whose disk fails, is then an error like others,
/// and not the end of the process. One of more than `most_read` bytes is mapped. Throws as
/// RegularFile and read_front do.
Bytes read_whole(const std::filesystem::path& path,
                 const std::optional<FileStamp>& known = std::nullopt,
                 std::size_t most_read = kMostRead);

}  // namespace millrace
