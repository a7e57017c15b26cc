#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/bytes.h"
#include "formats/mapped_file.h"

namespace millrace {

/// One member of a zip archive, as the archive's directory describes it.
struct ZipMember {
  std::string name;
  std::uint64_t size = 0;  ///< of its content
  bool deflated = false;   ///< else it is stored as it is
  std::uint32_t crc = 0;   ///< CRC-32 of its content
  std::uint64_t stored_at = 0;
  std::uint64_t stored = 0;  ///< bytes in the archive; all of them lie in it
};

/// A zip archive (PKWARE's APPNOTE.TXT 6.3, https://pkware.cachefly.net/webdocs/casestudies/
/// APPNOTE.TXT), mapped: members that are stored or deflated, ZIP64 too; neither encrypted nor
/// split. Move-only. All members throw DataError naming archive, member and byte.
class ZipFile {
 public:
  /// Reads the directory and checks every entry of it against the file: throws for one that lies
  /// outside, names a content that its stored bytes cannot hold, is encrypted, of another method,
  /// or there twice.
  explicit ZipFile(const std::filesystem::path& path);

  const std::filesystem::path& path() const noexcept { return path_; }
  /// In the order of the directory.
  std::span<const ZipMember> members() const noexcept { return members_; }
  /// nullptr if there is none of that name.
  const ZipMember* find(std::string_view name) const noexcept;

  /// The first `count` bytes of a member, fewer if it is shorter. Decodes little more than that.
  std::vector<std::byte> peek(const ZipMember& member, std::size_t count) const;
  /// All of it, checked against its CRC; `aligned_at` as for Bytes::allocate.
  Bytes read(const ZipMember& member, std::size_t aligned_at = 0) const;

  /// How messages name a member: "data/mnist.npz/x_train.npy".
  std::string name_of(const ZipMember& member) const;

 private:
  std::filesystem::path path_;
  MappedFile file_;
  std::vector<ZipMember> members_;
};

}  // namespace millrace
