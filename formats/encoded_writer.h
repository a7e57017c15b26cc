#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>

namespace millrace {

/// Writes a file of a known content size through AtomicFile, compressed by its name: ".gz" with
/// libdeflate (one gzip member for each 64 MiB of content), ".zst" as one zstd frame with content
/// size and checksum, anything else plain. Little memory for plain and zstd; up to 64 MiB and as
/// much again for gzip. Move-only, one thread at a time.
class EncodedWriter {
 public:
  /// `level`: of gzip 1 to 12, of zstd 1 to 22; none: what their own tools take, 6 and 3. Throws as
  /// AtomicFile does, and std::invalid_argument for another level.
  EncodedWriter(const std::filesystem::path& path, std::uint64_t content_size,
                std::optional<int> level = {});
  ~EncodedWriter();
  EncodedWriter(EncodedWriter&& other) noexcept;
  EncodedWriter& operator=(EncodedWriter&& other) = delete;

  /// Bytes still to come.
  std::uint64_t remaining() const noexcept { return remaining_; }
  /// Throws std::invalid_argument for more than remaining(), DataError if the file cannot be
  /// written.
  void write(std::span<const std::byte> bytes);
  /// After the last write(), at most once: the rest of the file is written and durable, and little
  /// is left for commit() to fail at. Throws as commit() does.
  void finish();
  /// Throws std::logic_error while bytes remain, DataError if the file cannot be written.
  void commit();

  /// A way to turn content into the file's bytes.
  class Encoder;

 private:
  std::unique_ptr<Encoder> encoder_;
  std::uint64_t remaining_;
  bool finished_ = false;
};

}  // namespace millrace
