#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <vector>

#include "formats/seek_table.h"

namespace millrace {

struct SeekableOptions {
  int level = 3;         ///< of zstd: -131072 to 22, more is smaller and slower
  unsigned threads = 0;  ///< that compress; 0: one for each core that the process may use
};

/// Writes a seekable zstd file (see SeekTable) through AtomicFile. Frames are compressed by several
/// threads and written in order: the file's bytes do not depend on how many. Each frame has its
/// size and checksum in its own header too, so that it can be checked and found without the table.
/// Memory: the frames in flight, at most two a thread. Move-only, called by one thread at a time.
class SeekableWriter {
 public:
  /// Throws std::invalid_argument for a level that zstd lacks, and as AtomicFile does.
  explicit SeekableWriter(const std::filesystem::path& path, SeekableOptions options = {});
  ~SeekableWriter();
  SeekableWriter(SeekableWriter&& other) noexcept;
  SeekableWriter& operator=(SeekableWriter&& other) = delete;

  /// Appends `content` as one frame; waits while too many are in flight. Throws
  /// std::invalid_argument for more than SeekTable::kMostContent bytes or none,
  /// std::logic_error after finish(), DataError if the file cannot be written.
  void append(std::vector<std::byte> content);
  /// After the last append(): waits for all frames, ends the threads, writes the table and makes
  /// all of it durable, so that little is left for commit() to fail at. Throws DataError.
  void finish();
  /// finish() where that was not called, and makes the file appear. Throws DataError.
  void commit();
  /// The frames that are written so far; all of them after finish().
  const SeekTable& table() const noexcept;

 private:
  class Work;
  std::unique_ptr<Work> work_;
};

}  // namespace millrace
