#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "formats/file_descriptor.h"

namespace millrace {

/// A file on its way: `path`.part, which stays where a download was broken off, for the next one to
/// go on from, until publish() makes it `path`; where nothing came, nothing stays. Locked while it
/// is open, so that two processes do not write one file. One thread at a time.
class PartialFile {
 public:
  /// Opens what is there, or makes it. Throws DataError; so too if another process has it open.
  explicit PartialFile(std::filesystem::path path);
  ~PartialFile();
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  std::uint64_t size() const noexcept { return size_; }
  const std::filesystem::path& path() const noexcept { return path_; }
  std::filesystem::path temporary() const;

  /// Writes bytes at `offset`, at most size(); what was behind them is dropped. Throws DataError
  /// when the system refuses.
  void write(std::uint64_t offset, std::span<const std::byte> bytes);
  /// Starts again with nothing.
  void clear();
  /// Makes it durable and renames it over `path`, wholly or not at all.
  void publish();

 private:
  std::filesystem::path path_;
  FileDescriptor file_;
  std::uint64_t size_ = 0;
  bool published_ = false;
};

/// Removes what an earlier download left beside `path`, which came otherwise, unless another
/// process is at it. Throws DataError if it cannot.
void remove_stale_part(const std::filesystem::path& path);

}  // namespace millrace
