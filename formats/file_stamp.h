#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "formats/error.h"

struct stat;

namespace millrace {

/// What tells a file that was written to, or replaced, from the one that was there: its size and
/// the time of its last change. A copy that keeps both is taken for the same file.
struct FileStamp {
  std::int64_t size = 0;
  std::int64_t seconds = 0;  ///< since 1970
  std::int64_t nanoseconds = 0;

  bool operator==(const FileStamp&) const = default;
};

FileStamp stamp_of(const struct stat& status) noexcept;

/// A file that is not the one any more that was there when its folder was opened. No bad sample,
/// whatever is done about those: it was another one before.
class ChangedFile : public DataError {
 public:
  /// `found`: none where the file is gone.
  ChangedFile(const std::filesystem::path& file, const FileStamp& expected,
              const std::optional<FileStamp>& found);
};

}  // namespace millrace
