#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "formats/random_content.h"

namespace millrace {

/// One member of a tar archive: POSIX.1-1988 ustar, with the long names of GNU tar and the "path"
/// and "size" of POSIX.1-2001 pax headers
/// (https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html, "ustar Interchange Format"
/// and "pax Extended Header"). Times, owners and permissions are not looked at: programs differ in
/// what they write there.
struct TarHeader {
  /// Types, of those that there are.
  static constexpr char kRegular = '0';
  static constexpr char kHardLink = '1';
  static constexpr char kSymbolicLink = '2';
  static constexpr char kSparse = 'S';  ///< a sparse file, whichever way the archive says so

  std::string path = {};   ///< as it stands in the archive; nothing is ever written there
  std::uint64_t size = 0;  ///< bytes of the content
  char type = kRegular;

  bool operator==(const TarHeader&) const = default;
};

/// Headers and contents begin at multiples of this; zeros fill the gaps.
inline constexpr std::size_t kTarBlock = 512;
/// An archive ends with two blocks of zeros.
inline constexpr std::size_t kTarEnd = 2 * kTarBlock;

/// The blocks in front of a member's content: one of ustar, where a long path or a size of 8 GiB
/// or more asks for it after those of a pax header. Time, owner and group are 0, all may read it.
/// Throws std::invalid_argument for a path that is empty or has a NUL in it.
std::vector<std::byte> encode_tar_header(const TarHeader& header);

/// Zeros that follow a content of `size` bytes.
constexpr std::size_t tar_padding(std::uint64_t size) noexcept {
  return static_cast<std::size_t>((kTarBlock - size % kTarBlock) % kTarBlock);
}

struct TarMember {
  TarHeader header;
  std::uint64_t header_at = 0;  ///< where its first header block begins: TarReader can start here
  /// Where its content begins; all of it lies in the archive. Of a sparse file what is stored of
  /// it, perhaps behind a map of it.
  std::uint64_t content_at = 0;
};

/// Goes through an archive from front to back, without copying or touching contents.
class TarReader {
 public:
  /// Of a pax header or a GNU long name: so much memory may an archive ask for.
  static constexpr std::uint64_t kMostExtended = std::uint64_t{1} << 20;

  /// `path` is for messages. `archive` must stay. `at`: of the header to begin with.
  TarReader(std::filesystem::path path, std::span<const std::byte> archive, std::uint64_t at = 0)
      : path_(std::move(path)), own_(std::in_place, archive), archive_(*own_), at_(at) {}
  /// The same of an archive that is `archive`'s content. Nobody else uses that while next() runs.
  TarReader(std::filesystem::path path, ContentReader& archive, std::uint64_t at = 0)
      : path_(std::move(path)), archive_(archive), at_(at) {}
  TarReader(const TarReader&) = delete;
  TarReader& operator=(const TarReader&) = delete;
  ~TarReader() = default;

  /// The next member of any type, nullopt behind the last. Throws DataError naming the byte: a
  /// header with a wrong checksum or number, a member that the archive is too short for, an end
  /// without a block of zeros, anything but zeros behind that, a pax header or long name of more
  /// than kMostExtended bytes; and what ContentReader throws.
  std::optional<TarMember> next();

 private:
  void check_room(std::uint64_t size) const;
  std::string extended(std::uint64_t size) const;
  void check_end() const;

  std::filesystem::path path_;
  std::optional<ContentReader> own_;  // of an archive in memory
  ContentReader& archive_;
  std::uint64_t at_;
};

/// The first block of an archive that is ustar or GNU tar: by its magic word and checksum.
bool is_tar(std::span<const std::byte> content) noexcept;

}  // namespace millrace
