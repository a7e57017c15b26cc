#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "formats/array.h"
#include "formats/zip.h"

namespace millrace {

/// The array of a .npy file, plain, gzip or zstd: mapped where it is plain, little-endian, in C
/// order and aligned for its type; otherwise in memory, put into host byte order and C order.
/// Header and file size are checked against each other before memory is taken. Throws DataError:
/// what parse_npy_header throws, truncated, trailing bytes, broken compression.
Array read_npy(const std::filesystem::path& path);

/// The same for a member of an .npz file, in memory. A member whose size is not what its header
/// says is refused before it is decoded.
Array read_npy(const ZipFile& archive, const ZipMember& member);

/// The same for content that is in memory anyway and is copied. `name` is for messages.
Array read_npy(const std::string& name, std::span<const std::byte> content);

}  // namespace millrace
