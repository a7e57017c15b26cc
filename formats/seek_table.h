#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

namespace millrace {

/// One frame of a seekable file.
struct SeekFrame {
  std::uint64_t stored_at = 0;   ///< first byte in the file
  std::uint64_t content_at = 0;  ///< first byte in the content
  std::uint32_t stored = 0;      ///< bytes in the file, magic number and all
  std::uint32_t content = 0;     ///< bytes decoded; 0 for a skippable frame
  std::uint32_t checksum = 0;    ///< low 32 bits of XXH64 (seed 0) of the content
  bool operator==(const SeekFrame&) const = default;
};

/// The seek table of the Zstandard seekable format, version 0.1.0
/// (https://github.com/facebook/zstd, contrib/seekable_format/zstd_seekable_compression_format.md):
/// a file of independent zstd frames, and behind them a skippable frame that lists their sizes.
/// Decoders that know nothing of it skip the table: `zstd -d` gives the whole content.
class SeekTable {
 public:
  /// As many frames as the reference implementation takes.
  static constexpr std::size_t kMostFrames = 0x8000000;
  /// Its limit for the content of one frame: 1 GiB.
  static constexpr std::uint32_t kMostContent = 0x40000000;
  /// Of the skippable frame: what it begins with, and what the file ends with.
  static constexpr std::uint32_t kSkippableMagic = 0x184D2A5E;
  static constexpr std::uint32_t kSeekableMagic = 0x8F92EAB1;
  /// Around the frames' entries: its magic number and the size of what follows; the number of
  /// frames, a descriptor and the last magic number.
  static constexpr std::size_t kHeadBytes = 8;
  static constexpr std::size_t kFootBytes = 9;

  explicit SeekTable(bool has_checksums = true) noexcept : has_checksums_(has_checksums) {}

  /// Appends the frame that lies behind all others. Throws std::length_error past kMostFrames.
  void add(std::uint32_t stored, std::uint32_t content, std::uint32_t checksum);

  const std::vector<SeekFrame>& frames() const noexcept { return frames_; }
  bool has_checksums() const noexcept { return has_checksums_; }
  /// Bytes of all frames in the file, without the table.
  std::uint64_t stored_size() const noexcept { return stored_size_; }
  std::uint64_t content_size() const noexcept { return content_size_; }
  /// The frame that holds byte `at` of the content. Precondition: at < content_size().
  std::size_t frame_holding(std::uint64_t at) const noexcept;

  /// The skippable frame, to be written behind the last frame.
  std::vector<std::byte> encode() const;

 private:
  std::vector<SeekFrame> frames_;
  bool has_checksums_;
  std::uint64_t stored_size_ = 0;
  std::uint64_t content_size_ = 0;
};

/// The seek table at the end of `file`, the whole of a file; nullopt where it does not end in the
/// table's magic number. Everything in it is checked against the file's size before memory is
/// allocated, nothing against the frames themselves. `path` is for messages. Throws DataError: a
/// table that the file cannot hold, does not add up, names a frame of no bytes or one that says it
/// decodes to more than its bytes can.
std::optional<SeekTable> read_seek_table(const std::filesystem::path& path,
                                         std::span<const std::byte> file);

}  // namespace millrace
