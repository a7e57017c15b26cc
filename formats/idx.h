#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "formats/bytes.h"
#include "formats/dtype.h"
#include "formats/encoded_writer.h"

namespace millrace {

/// The IDX format of the MNIST files (http://yann.lecun.com/exdb/mnist/, "the IDX file format"):
/// two zero bytes, a type, a rank of 0 to 255, one 32-bit big-endian size per dimension, then the
/// elements, row-major and big-endian.
struct IdxHeader {
  DType dtype = DType::kUInt8;
  std::vector<std::uint32_t> dims;  ///< outermost first; none: one element

  /// 4 + 4 * rank.
  std::size_t header_bytes() const noexcept { return 4 + 4 * dims.size(); }
  /// "60000x28x28 uint8", for messages.
  std::string describe() const;
  bool operator==(const IdxHeader&) const = default;
};

/// The IDX type byte of `dtype`; nullopt for a type that IDX does not have.
std::optional<std::uint8_t> idx_type(DType dtype) noexcept;

/// An IDX file in memory: mapped where the file is plain and of one-byte elements, otherwise
/// decoded into memory and swapped to host byte order. Move-only; owns its bytes.
class IdxArray {
 public:
  IdxArray(std::filesystem::path path, IdxHeader header, Bytes bytes, std::size_t data_offset);

  const std::filesystem::path& path() const noexcept { return path_; }
  const IdxHeader& header() const noexcept { return header_; }
  DType dtype() const noexcept { return header_.dtype; }
  const std::vector<std::uint32_t>& dims() const noexcept { return header_.dims; }
  /// Product of dims().
  std::uint64_t elements() const noexcept { return data().size() / size_of(dtype()); }
  /// The elements, row-major, in host byte order, aligned for their type.
  std::span<const std::byte> data() const noexcept { return bytes_.view().subspan(data_offset_); }
  /// True if data() is a mapping of the file.
  bool mapped() const noexcept { return bytes_.mapped(); }

 private:
  std::filesystem::path path_;
  IdxHeader header_;
  Bytes bytes_;
  std::size_t data_offset_;
};

/// Reads a file that is plain, gzip or zstd; its first bytes tell. Header and file size are checked
/// against each other before memory is allocated for the data. Throws DataError: not an IDX file,
/// unknown type, sizes that overflow or that the file cannot hold, truncated, trailing bytes,
/// broken compression.
IdxArray read_idx(const std::filesystem::path& path);
/// The same without the data.
IdxHeader read_idx_header(const std::filesystem::path& path);

/// The header at the front of `content`, of which the first kLargestIdxHeader bytes will do. Throws
/// DataError as read_idx does.
IdxHeader parse_idx_header(const std::filesystem::path& path, std::span<const std::byte> content);
inline constexpr std::size_t kLargestIdxHeader = 4 + 4 * 255;
/// The other way. Throws std::invalid_argument as write_idx does.
std::vector<std::byte> encode_idx_header(const IdxHeader& header);
/// Bytes of the data behind the header. Throws std::invalid_argument as write_idx does.
std::uint64_t idx_data_bytes(const IdxHeader& header);

/// Writes `data` (row-major, host byte order) through AtomicFile, compressed if the name ends in
/// .gz or .zst. Throws std::invalid_argument if IDX lacks the type, the rank is above 255 or `data`
/// is not of the size that `header` says, DataError if the file cannot be written.
void write_idx(const std::filesystem::path& path, const IdxHeader& header,
               std::span<const std::byte> data);

/// The same piece by piece, in little memory (see EncodedWriter). The file appears with commit().
class IdxWriter {
 public:
  /// `header` says how many elements will come; `level` as for EncodedWriter. Throws as write_idx
  /// and EncodedWriter do.
  IdxWriter(const std::filesystem::path& path, IdxHeader header, std::optional<int> level = {});

  /// Appends whole elements in host byte order, as many as there are. Throws std::invalid_argument
  /// if that is no whole number of elements or more than the header says.
  void append(std::span<const std::byte> elements);
  /// As EncodedWriter::finish().
  void finish();
  /// Throws std::logic_error if elements are missing.
  void commit();

 private:
  std::string path_;
  IdxHeader header_;
  EncodedWriter file_;
  std::vector<std::byte> swapped_;
};

}  // namespace millrace
