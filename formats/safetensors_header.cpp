#include "formats/safetensors_header.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "formats/error.h"
#include "formats/json_text.h"

namespace millrace {
namespace {

using nlohmann::json;

// Tensor entries are objects in an object, with arrays in them.
constexpr JsonForm kForm{"a JSON header", kSafetensorsLengthBytes, 4};
// What NumPy and PyTorch know; the format itself has no limit.
constexpr std::size_t kHighestRank = 64;

struct NamedType {
  std::string_view name;
  DType dtype;
};
constexpr std::array<NamedType, 13> kTypes{{{"BOOL", DType::kBool},
                                            {"U8", DType::kUInt8},
                                            {"I8", DType::kInt8},
                                            {"I16", DType::kInt16},
                                            {"U16", DType::kUInt16},
                                            {"F16", DType::kFloat16},
                                            {"BF16", DType::kBFloat16},
                                            {"I32", DType::kInt32},
                                            {"U32", DType::kUInt32},
                                            {"F32", DType::kFloat32},
                                            {"F64", DType::kFloat64},
                                            {"I64", DType::kInt64},
                                            {"U64", DType::kUInt64}}};

/// One tensor's entry; every message names it.
class EntryParser {
 public:
  EntryParser(const std::filesystem::path& file, const std::string& name, const json& entry)
      : file_(file), name_(name), entry_(entry) {}

  SafetensorsHeader::Entry parse() const {
    if (!entry_.is_object()) fail("an object", entry_.type_name());
    const auto& dtype_name = field("dtype");
    if (!dtype_name.is_string()) fail("a string as dtype", dtype_name.type_name());
    const auto dtype = safetensors_dtype(dtype_name.get_ref<const std::string&>());
    if (!dtype) fail("a dtype that Millrace reads", brief(dtype_name));
    auto shape = numbers("shape");
    if (shape.size() > kHighestRank) {
      fail(fmt::format("at most {} dimensions", kHighestRank), fmt::format("{}", shape.size()));
    }
    const auto offsets = numbers("data_offsets");
    if (offsets.size() != 2) fail("two data_offsets", fmt::format("{}", offsets.size()));
    const auto bytes = tensor_bytes(*dtype, shape);
    if (!bytes) fail("a shape that fits in 64 bits", describe(*dtype, shape));
    if (offsets[1] < offsets[0] || offsets[1] - offsets[0] != *bytes) {
      fail(fmt::format("data_offsets that are {} bytes apart, for {}", *bytes,
                       describe(*dtype, shape)),
           fmt::format("[{}, {}]", offsets[0], offsets[1]));
    }
    return {.name = name_,
            .dtype = *dtype,
            .shape = std::move(shape),
            .begin = offsets[0],
            .end = offsets[1]};
  }

 private:
  [[noreturn]] void fail(std::string_view expected, std::string_view found) const {
    throw DataError(file_, kSafetensorsLengthBytes,
                    fmt::format("for tensor {}: {}", brief(name_), expected), found);
  }

  const json& field(const char* key) const {
    const auto it = entry_.find(key);
    if (it == entry_.end()) fail(fmt::format("\"{}\"", key), "none");
    return *it;
  }

  std::vector<std::uint64_t> numbers(const char* key) const {
    const auto& list = field(key);
    if (!list.is_array()) fail(fmt::format("a list as {}", key), list.type_name());
    std::vector<std::uint64_t> values;
    values.reserve(list.size());
    for (const auto& item : list) {
      if (!item.is_number_unsigned()) fail(fmt::format("whole numbers in {}", key), brief(item));
      values.push_back(item.get<std::uint64_t>());
    }
    return values;
  }

  const std::filesystem::path& file_;
  const std::string& name_;
  const json& entry_;
};

TensorMetadata parse_metadata(const std::filesystem::path& file, const json& object) {
  const auto fail = [&](std::string_view found) {
    throw DataError(file, kSafetensorsLengthBytes, "__metadata__ to map strings to strings", found);
  };
  if (!object.is_object()) fail(object.type_name());
  TensorMetadata metadata;
  for (const auto& [key, value] : object.items()) {
    if (!value.is_string()) fail(fmt::format("{} for {}", value.type_name(), brief(key)));
    metadata.emplace(key, value.get<std::string>());
  }
  return metadata;
}

/// The data must be covered from its first byte to its last, each byte by one tensor.
void check_cover(const std::filesystem::path& file, const SafetensorsHeader& header,
                 std::uint64_t data_start, std::uint64_t data_bytes) {
  std::uint64_t covered = 0;
  for (const auto& tensor : header.tensors) {
    const auto name = brief(tensor.name);
    if (tensor.end > data_bytes) {
      throw DataError(file, data_start + data_bytes,
                      fmt::format("{} bytes of data, up to the end of tensor {}", tensor.end, name),
                      fmt::format("the end of the file after {}", data_bytes));
    }
    if (tensor.begin != covered) {
      throw DataError(
          file, data_start + std::min(tensor.begin, covered),
          fmt::format("tensor {} to begin at {} in the data, where the one before it ends", name,
                      covered),
          fmt::format("it at {}", tensor.begin));
    }
    covered = tensor.end;
  }
  if (covered != data_bytes) {
    throw DataError(file, data_start + covered, "the end of the file after the last tensor",
                    fmt::format("{} bytes more", data_bytes - covered));
  }
}

}  // namespace

std::string_view safetensors_name_of(DType dtype) noexcept {
  for (const auto& type : kTypes) {
    if (type.dtype == dtype) return type.name;
  }
  return "unknown";
}

std::optional<DType> safetensors_dtype(std::string_view name) noexcept {
  for (const auto& type : kTypes) {
    if (type.name == name) return type.dtype;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> tensor_bytes(DType dtype,
                                          std::span<const std::uint64_t> shape) noexcept {
  if (std::ranges::find(shape, std::uint64_t{0}) != shape.end()) return 0;
  std::uint64_t bytes = size_of(dtype);
  for (const auto dim : shape) {
    if (bytes > std::numeric_limits<std::uint64_t>::max() / dim) return std::nullopt;
    bytes *= dim;
  }
  return bytes;
}

std::string describe(DType dtype, std::span<const std::uint64_t> shape) {
  return fmt::format("[{}] {}", fmt::join(shape, ", "), name_of(dtype));
}

SafetensorsHeader parse_safetensors_header(const std::filesystem::path& file, std::string_view text,
                                           std::uint64_t data_bytes) {
  if (!text.starts_with('{')) {
    throw DataError(file, kSafetensorsLengthBytes, "a safetensors header, which begins with {",
                    text.empty() ? std::string("an empty one") : brief(text.substr(0, 1)));
  }
  const auto root = parse_json(file, text, kForm);
  SafetensorsHeader header;
  for (const auto& [name, entry] : root.items()) {
    if (name == kSafetensorsMetadataName) {
      header.metadata = parse_metadata(file, entry);
    } else {
      header.tensors.push_back(EntryParser(file, name, entry).parse());
    }
  }
  std::ranges::sort(header.tensors, {}, [](const SafetensorsHeader::Entry& entry) {
    return std::tuple(entry.begin, entry.end);
  });
  check_cover(file, header, kSafetensorsLengthBytes + text.size(), data_bytes);
  return header;
}

}  // namespace millrace
