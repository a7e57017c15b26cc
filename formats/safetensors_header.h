#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/safetensors.h"

// Parts that the reader and the writer of safetensors share. Users want safetensors.h.

namespace millrace {

/// The format's own limit, which keeps a lying length from costing memory.
inline constexpr std::uint64_t kLargestSafetensorsHeader = 100'000'000;
inline constexpr std::size_t kSafetensorsLengthBytes = 8;
inline constexpr std::string_view kSafetensorsMetadataName = "__metadata__";

/// "F32", "BF16", …; nullopt for names of types that Millrace has no use for (the 8-bit floats and
/// smaller).
std::string_view safetensors_name_of(DType dtype) noexcept;
std::optional<DType> safetensors_dtype(std::string_view name) noexcept;

/// Bytes of a tensor; nullopt if they pass 2^64 - 1.
std::optional<std::uint64_t> tensor_bytes(DType dtype,
                                          std::span<const std::uint64_t> shape) noexcept;
/// "[32, 784] float32", for messages.
std::string describe(DType dtype, std::span<const std::uint64_t> shape);

struct SafetensorsHeader {
  struct Entry {
    std::string name;
    DType dtype;
    std::vector<std::uint64_t> shape;
    std::uint64_t begin;  // in the data
    std::uint64_t end;
  };
  TensorMetadata metadata;     // all of it
  std::vector<Entry> tensors;  // by begin; without gaps from 0 to the data's size
};

/// `text`: the JSON that stands at byte 8 of `file`; `data_bytes`: what follows it. Throws
/// DataError for everything that is wrong with them.
SafetensorsHeader parse_safetensors_header(const std::filesystem::path& file, std::string_view text,
                                           std::uint64_t data_bytes);

/// The hash under kIntegrityKey.
std::string integrity_hash(std::span<const TensorView> tensors, const TensorMetadata& metadata);

}  // namespace millrace
