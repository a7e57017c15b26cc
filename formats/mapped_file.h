#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>

namespace millrace {

struct RegularFile;

/// A regular file mapped read-only. Move-only. The bytes are read from disk when they are touched;
/// a file that somebody shortens meanwhile ends the process (SIGBUS), as with every mapping:
/// replace files, as AtomicFile does, instead of rewriting them.
class MappedFile {
 public:
  MappedFile() noexcept = default;
  /// Throws DataError if `path` cannot be opened, is not a regular file (a folder, device or pipe)
  /// or cannot be mapped.
  explicit MappedFile(const std::filesystem::path& path);
  /// Of the file that is open, whatever its path leads to by now, in the size it was opened with.
  /// Throws DataError if it cannot be mapped.
  explicit MappedFile(const RegularFile& file);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  /// All of it, page-aligned; empty for an empty file.
  std::span<const std::byte> bytes() const noexcept { return bytes_; }

  /// Tells the kernel that the file will be read from front to back.
  void expect_sequential() const noexcept;
  /// Tells the kernel that [at, at + length) will be read soon: it reads them from disk meanwhile.
  void expect(std::size_t at, std::size_t length) const noexcept;
  /// Lets go of the pages of [at, at + length) and of those that came in with them: they no longer
  /// count as memory of this process, and are read again when they are touched again.
  void forget(std::size_t at, std::size_t length) const noexcept;

 private:
  std::span<const std::byte> bytes_;
};

/// A file that was written to since it was mapped, whose MappedFile lives: its size or its time is
/// another. Says so once of each writing. Not one that was replaced or removed, whose mapping stays
/// what it was. Safe on any thread.
std::optional<std::filesystem::path> mapping_written_to();

/// MappedFile::expect() and forget() of a part of a mapping: `mapped` is all of it that the caller
/// may speak for, on whatever address it begins.
void expect_mapped(std::span<const std::byte> mapped, std::size_t at, std::size_t length) noexcept;
void forget_mapped(std::span<const std::byte> mapped, std::size_t at, std::size_t length) noexcept;

}  // namespace millrace
