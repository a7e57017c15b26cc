#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/dtype.h"

namespace millrace {

/// The header of a .npy file (NumPy's NEP 1,
/// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, versions 1.0 to 3.0): a
/// magic string, a version, a length and a Python dictionary of element type, order and shape. The
/// elements follow.
struct NpyHeader {
  DType dtype = DType::kUInt8;
  bool big_endian = false;                ///< always false for one-byte elements
  bool fortran_order = false;             ///< elements lie with the first index running fastest
  std::vector<std::uint64_t> shape = {};  ///< outermost first; none: one element

  /// "60000x28x28 uint8", for messages.
  std::string describe() const;
  bool operator==(const NpyHeader&) const = default;
};

struct ParsedNpyHeader {
  NpyHeader header;
  std::size_t header_bytes = 0;  ///< the elements begin here
};

/// Longer headers are refused: a shape and a type take far less.
inline constexpr std::size_t kLargestNpyHeader = std::size_t{64} << 10;

/// The header at the front of `content`, of which the first kLargestNpyHeader bytes will do. Throws
/// DataError naming `path` and byte: no such header, a type that is no number and no bool (objects,
/// strings, structures, complex numbers), more than 64 dimensions, a
/// shape whose bytes pass 2^63 - 1.
ParsedNpyHeader parse_npy_header(const std::filesystem::path& path,
                                 std::span<const std::byte> content);

/// The other way, as NumPy writes it: version 1.0, filled up with spaces, so that the elements
/// begin at a multiple of 64. Throws std::invalid_argument for a type that NumPy lacks (bfloat16),
/// more than 64 dimensions and a shape as above.
std::vector<std::byte> encode_npy_header(const NpyHeader& header);

/// The type of that name as NumPy has it behind the byte order: "u1", "f4"; nullopt for what is no
/// number and no bool.
std::optional<DType> npy_type_called(std::string_view name) noexcept;

/// Bytes of the elements. Throws std::invalid_argument if they pass 2^63 - 1.
std::uint64_t npy_data_bytes(const NpyHeader& header);

}  // namespace millrace
