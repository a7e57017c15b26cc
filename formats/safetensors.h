#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "formats/dtype.h"
#include "formats/mapped_file.h"

namespace millrace {

/// A named tensor whose bytes belong to somebody else: row-major, little-endian.
struct TensorView {
  std::string name;
  DType dtype = DType::kFloat32;
  std::vector<std::uint64_t> shape;  ///< outermost first; none: one element
  std::span<const std::byte> data;   ///< product of shape × size_of(dtype) bytes; maybe unaligned

  /// A copy as values of T. Precondition: T is what dtype says.
  template <typename T>
  requires std::is_trivially_copyable_v<T> std::vector<T> values()
  const {
    std::vector<T> copy(data.size() / sizeof(T));
    if (!copy.empty()) std::memcpy(copy.data(), data.data(), copy.size() * sizeof(T));
    return copy;
  }
};

using TensorMetadata = std::map<std::string, std::string>;

/// The entry of `__metadata__` that write_safetensors adds: XXH3-128 of all names, types, shapes,
/// metadata and data, independent of their order in the file.
inline constexpr std::string_view kIntegrityKey = "millrace.xxh3";

/// A safetensors file (https://github.com/huggingface/safetensors, "Format"), mapped. Move-only;
/// owns what its views point to.
class SafetensorsFile {
 public:
  /// Throws DataError unless the header is what the format says and describes the file to the last
  /// byte: no tensor outside the file, overlapping another or of a size that its shape denies, no
  /// gaps, no name twice. Where the file carries a hash under kIntegrityKey, everything is read and
  /// checked against it.
  explicit SafetensorsFile(const std::filesystem::path& path);

  const std::filesystem::path& path() const noexcept { return path_; }
  /// Without kIntegrityKey.
  const TensorMetadata& metadata() const noexcept { return metadata_; }
  /// True if the file carried a hash, which then was right.
  bool verified() const noexcept { return verified_; }

  /// In the order of their data.
  std::span<const TensorView> tensors() const noexcept { return tensors_; }
  /// nullptr if there is none of that name.
  const TensorView* find(std::string_view name) const noexcept;
  /// Throws DataError naming tensor, expected and found if it is missing or has another type or
  /// shape.
  const TensorView& require(std::string_view name, DType dtype,
                            std::span<const std::uint64_t> shape) const;

 private:
  std::filesystem::path path_;
  MappedFile file_;
  TensorMetadata metadata_;
  std::vector<TensorView> tensors_;
  bool verified_ = false;
};

/// Writes tensors and metadata, with their hash under kIntegrityKey, through AtomicFile: afterwards
/// the file is durable. Tensors of larger elements come first, so that all are aligned for their
/// type.
///
/// Throws std::invalid_argument for names or metadata that the format cannot hold (a name twice or
/// "__metadata__", text that is not UTF-8) and data of the wrong size, DataError if the file cannot
/// be written; an older file is then still there.
void write_safetensors(const std::filesystem::path& path, std::span<const TensorView> tensors,
                       const TensorMetadata& metadata = {});

}  // namespace millrace
