#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "formats/bytes.h"
#include "formats/codec.h"
#include "formats/mapped_file.h"
#include "formats/seek_table.h"

namespace millrace {

enum class Compression : std::uint8_t { kNone, kGzip, kZstd };

/// "none", "gzip", "zstd".
std::string_view name_of(Compression compression) noexcept;
/// By the first bytes: gzip's 1f 8b; zstd's 28 b5 2f fd, or 5? 2a 4d 18 of a skippable frame.
Compression compression_of(std::span<const std::byte> first_bytes) noexcept;
/// By the name: ".gz", ".zst", anything else. For files to be written.
Compression compression_for(const std::filesystem::path& path);

/// A file open for reading whose content may be compressed; its first bytes say so, not its name.
/// Nothing is allocated for the content before it is asked for. Move-only. Every member throws
/// DataError where the compressed form is broken: a checksum, a truncation, bytes that belong to no
/// gzip member or zstd frame and are not the zeros that gzip files may be filled up with.
class EncodedFile {
 public:
  /// Throws DataError if it cannot be opened or mapped.
  explicit EncodedFile(std::filesystem::path path);

  const std::filesystem::path& path() const noexcept { return path_; }
  Compression compression() const noexcept { return compression_; }
  /// Bytes of the file itself.
  std::uint64_t stored_size() const noexcept { return file_.bytes().size(); }
  /// Size of the content, as far as it is known before decoding.
  const ContentSize& content_size() const noexcept { return size_; }

  /// The first `count` bytes of the content, fewer if it is shorter. Decodes little more than that.
  std::vector<std::byte> peek(std::size_t count) const;

  /// Decodes to `out`, or copies. Checksums are checked if the content ends within `out`; the
  /// frames of a seekable zstd file are then decoded by several threads.
  Decoded decode(std::span<std::byte> out) const;

  /// The whole content, which must be of `size` bytes: mapped where it is plain, decoded into
  /// memory where it is not (aligned as Bytes::allocate does). Throws before allocating if the file
  /// cannot hold `size` bytes. `what` says in messages what the bytes are: "a 60000x28x28 uint8 IDX
  /// file".
  Bytes take(std::uint64_t size, std::string_view what, std::size_t aligned_at = 0) &&;

  /// The whole content, whatever its size; DataError if it is larger than `limit`.
  Bytes take_all(std::uint64_t limit) &&;

 private:
  std::filesystem::path path_;
  MappedFile file_;
  Compression compression_ = Compression::kNone;
  ContentSize size_;
  std::optional<SeekTable> table_;
};

/// All of a file whose content says nothing of its size (CSV, tar): mapped where it is plain.
/// Compressed content of more than 256 MiB that is more than 256 times as large as the file is
/// taken for a bomb: DataError, as for all that EncodedFile throws.
Bytes read_content(const std::filesystem::path& path);

}  // namespace millrace
