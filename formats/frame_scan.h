#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace millrace {

/// What a scan found at one place of a seekable zstd file: a frame, or bytes that are none.
struct FoundFrame {
  std::uint64_t stored_at = 0;              ///< first byte in the file
  std::uint64_t stored = 0;                 ///< bytes in the file
  std::optional<std::uint64_t> content_at;  ///< first byte in the content, where that is known
  std::uint64_t content = 0;                ///< bytes of content; 0 where that is not known
  bool sound = false;                       ///< its content is what was written
  std::string fault;                        ///< what is wrong, also of a sound one; empty: nothing
  /// A frame to decode in place of the one in the file, where its content is sound and it is not.
  std::vector<std::byte> mended;
};

struct FrameScan {
  std::vector<FoundFrame> frames;  ///< in the order of the file, no byte twice
  std::string table_fault;         ///< what is wrong with the seek table; empty: nothing
  /// True if a table, or what is left of one, lies behind the frames: none is missing at the end.
  bool complete = false;
};

/// Looks at all frames of a seekable zstd file, however damaged, and at its table. Where the table
/// can be read, it says where frames are, and each frame is judged by its own checksum and by the
/// table's, on all cores: of two that differ the one that holds is believed. Without a table,
/// frames are found one behind the other, and behind damage by their magic number; then only frames
/// with sizes and checksums of their own count, as SeekableWriter writes them. One changed byte in
/// a first frame of at most 2 KiB, which holds the shape of all samples, is put right by trial.
/// Throws nothing but std::bad_alloc.
FrameScan scan_frames(std::span<const std::byte> file);

/// Content of a sound frame of a scan of `file`. Throws DataError if it is not sound.
std::vector<std::byte> decode_found(const std::filesystem::path& path,
                                    std::span<const std::byte> file, const FoundFrame& frame);

}  // namespace millrace
