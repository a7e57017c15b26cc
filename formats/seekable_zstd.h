#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "formats/seek_table.h"

struct ZSTD_DCtx_s;  // zstd.h

namespace millrace {

/// A seekable file in memory, and its table. A view of both.
struct SeekableView {
  const std::filesystem::path& path;  ///< for messages
  std::span<const std::byte> file;    ///< all of it
  const SeekTable& table;             ///< what read_seek_table(path, file) gave

  std::span<const std::byte> stored(std::size_t frame) const {
    const auto& entry = table.frames()[frame];
    return file.subspan(static_cast<std::size_t>(entry.stored_at), entry.stored);
  }
};

/// Decodes single frames of seekable files. Move-only, one thread at a time.
class FrameDecoder {
 public:
  /// Throws std::bad_alloc.
  FrameDecoder();

  /// Decodes frame `index` to `out`, which is of the size that the table says, and checks it
  /// against both its own checksum and the table's. Throws DataError naming the frame, its byte in
  /// the file and of the content; `out` then holds anything. Throws std::invalid_argument for an
  /// `out` of another size.
  void decode(const SeekableView& view, std::size_t index, std::span<std::byte> out);

 private:
  struct Free {
    void operator()(ZSTD_DCtx_s* context) const noexcept;
  };
  std::unique_ptr<ZSTD_DCtx_s, Free> context_;
};

/// Decodes all frames to `out` ([table.content_size()]), on all cores. Throws what
/// FrameDecoder::decode throws, for the first bad frame of the file.
void decode_frames(const SeekableView& view, std::span<std::byte> out);

/// Low 32 bits of XXH64, seed 0: the checksum of the seek table, and of a zstd frame.
std::uint32_t frame_checksum(std::span<const std::byte> content) noexcept;

/// Threads for `pieces` pieces of work: `asked`, or for 0 the cores that the process may use; never
/// more than the pieces, and at least 1.
unsigned thread_count(unsigned asked, std::uint64_t pieces) noexcept;

}  // namespace millrace
