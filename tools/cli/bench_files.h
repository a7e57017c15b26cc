#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace millrace {

/// The regular files at `path`, a folder with all below it or one file, by name; hidden ones and
/// links to folders are left out.
std::vector<std::filesystem::path> files_at(const std::filesystem::path& path);

struct FileSpeed {
  std::uint64_t bytes = 0;  ///< that were read
  double seconds = 0.0;
  double bytes_per_s() const noexcept { return static_cast<double>(bytes) / seconds; }
};

/// Reads files with read(2), `threads` at once, again and again for at least `seconds`, and no more
/// than the first gibibyte of them, which the page cache has after a pass that does not count.
/// nullopt once `stop` is set. Throws DataError.
std::optional<FileSpeed> read_cached(const std::vector<std::filesystem::path>& files,
                                     std::uint32_t threads, double seconds,
                                     const std::atomic<bool>& stop);

/// The same after the kernel was asked to drop the files from the page cache, once and for at most
/// `seconds`. nullopt also where it keeps them: file systems in memory, pages that somebody has
/// mapped.
std::optional<FileSpeed> read_uncached(const std::vector<std::filesystem::path>& files,
                                       std::uint32_t threads, double seconds,
                                       const std::atomic<bool>& stop);

}  // namespace millrace
