#include "formats/file_stamp.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <string>

namespace millrace {
namespace {

std::string describe(const FileStamp& expected, const std::optional<FileStamp>& found) {
  if (!found) return "none";
  if (found->size != expected.size) return fmt::format("one of {} bytes", found->size);
  return "one that was written to since";
}

}  // namespace

FileStamp stamp_of(const struct stat& status) noexcept {
  return {.size = status.st_size,
          .seconds = status.st_mtim.tv_sec,
          .nanoseconds = status.st_mtim.tv_nsec};
}

ChangedFile::ChangedFile(const std::filesystem::path& file, const FileStamp& expected,
                         const std::optional<FileStamp>& found)
    : DataError(file, std::nullopt,
                fmt::format("the file of {} bytes that was there as its folder was opened",
                            expected.size),
                describe(expected, found)) {}

}  // namespace millrace
