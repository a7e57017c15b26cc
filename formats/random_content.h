#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "formats/bytes.h"
#include "formats/mapped_file.h"
#include "formats/pool.h"
#include "formats/seek_table.h"

namespace millrace {

/// The content of a file, to be read at any place by any number of threads, each with a
/// ContentReader of its own. A seekable zstd file may stay compressed: its frames are then decoded
/// when they are asked for, and memory is that of a few frames a reader, whatever the size. Plain
/// files are mapped; everything else is decoded whole, as read_content does.
class RandomContent {
 public:
  /// Larger frames are no pieces to read at random: a file that has one is decoded whole.
  static constexpr std::uint32_t kMostFrame = std::uint32_t{64} << 20;

  /// Bytes of content of a file that could stay compressed; nullopt for any other. Throws DataError
  /// as read_seek_table does, or where the file cannot be opened.
  static std::optional<std::uint64_t> seekable_size(const std::filesystem::path& path);

  /// `by_frames`: a file that can stay compressed does. Throws DataError as read_content does.
  RandomContent(std::filesystem::path path, bool by_frames);
  ~RandomContent();
  RandomContent(const RandomContent&) = delete;
  RandomContent& operator=(const RandomContent&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }
  std::uint64_t size() const noexcept { return table_ ? table_->content_size() : whole_.size(); }
  /// Whether its frames are decoded when they are asked for.
  bool by_frames() const noexcept { return table_.has_value(); }
  /// Whether it is not in memory whole.
  bool on_disk() const noexcept { return by_frames() || whole_.mapped(); }

  /// Tells the kernel that bytes [at, at + count) of the content will be read soon.
  void expect(std::uint64_t at, std::uint64_t count) const noexcept;
  /// Lets go of what reading them took of a mapped file. Of frames nothing stays.
  void forget(std::uint64_t at, std::uint64_t count) const noexcept;
  /// The frame that holds a byte of the content, where they are decoded one by one; else 0.
  std::size_t frame_of(std::uint64_t at) const { return table_ ? table_->frame_holding(at) : 0; }

 private:
  friend class ContentReader;
  class Frames;

  std::filesystem::path path_;
  Bytes whole_;
  MappedFile file_;                 // with table_
  std::optional<SeekTable> table_;  // of a file that stays compressed
  mutable Pool<Frames> frames_;     // with table_
};

/// Reads content that lies in memory or in a RandomContent, which outlives it. One thread at a
/// time.
class ContentReader {
 public:
  explicit ContentReader(std::span<const std::byte> content) noexcept;
  explicit ContentReader(const RandomContent& content);
  ~ContentReader();
  ContentReader(const ContentReader&) = delete;
  ContentReader& operator=(const ContentReader&) = delete;

  std::uint64_t size() const noexcept { return frames_ ? content_->size() : memory_.size(); }
  /// Bytes [at, at + count) of the content, until the next call. Throws DataError for a broken
  /// frame and std::out_of_range.
  std::span<const std::byte> bytes(std::uint64_t at, std::size_t count);

 private:
  std::span<const std::byte> memory_;
  const RandomContent* content_ = nullptr;
  std::optional<Pool<RandomContent::Frames>::Lease> frames_;  // none: all lies in memory_
};

}  // namespace millrace
