#include "formats/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

#include "formats/atomic_file.h"
#include "formats/error.h"
#include "formats/hash.h"
#include "formats/little_endian.h"
#include "formats/safetensors_header.h"
#include "formats/text.h"

namespace millrace {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors data is used in place");

/// The JSON text in a mapped file, its length checked against the file's.
std::string_view header_text(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  if (bytes.size() < kSafetensorsLengthBytes) {
    throw DataError(path, bytes.size(), "a safetensors file: 8 bytes of header length",
                    "the end of the file");
  }
  const auto length = load_little_endian64(bytes.data());
  const auto rest = bytes.subspan(kSafetensorsLengthBytes);
  const auto most = std::min<std::uint64_t>(rest.size(), kLargestSafetensorsHeader);
  if (length > most) {
    throw DataError(path, 0, fmt::format("a safetensors header length of at most {}", most),
                    fmt::format("{}", length));
  }
  return text_of(rest.first(static_cast<std::size_t>(length)));
}

std::vector<TensorView> by_falling_element_size(std::span<const TensorView> tensors) {
  std::vector<TensorView> ordered(tensors.begin(), tensors.end());
  std::ranges::stable_sort(ordered, std::ranges::greater{},
                           [](const TensorView& tensor) { return size_of(tensor.dtype); });
  return ordered;
}

void check_writable(const std::filesystem::path& path, std::span<const TensorView> tensors,
                    const TensorMetadata& metadata) {
  std::set<std::string_view> names{kSafetensorsMetadataName};
  for (const auto& tensor : tensors) {
    if (!names.insert(tensor.name).second) {
      throw std::invalid_argument(
          fmt::format("{}: two tensors named \"{}\"", path.string(), tensor.name));
    }
    if (tensor_bytes(tensor.dtype, tensor.shape) != tensor.data.size()) {
      throw std::invalid_argument(fmt::format("{}: tensor \"{}\": {} bytes of data for {}",
                                              path.string(), tensor.name, tensor.data.size(),
                                              describe(tensor.dtype, tensor.shape)));
    }
  }
  if (metadata.contains(std::string(kIntegrityKey))) {
    throw std::invalid_argument(
        fmt::format("{}: metadata has its own {}", path.string(), kIntegrityKey));
  }
}

/// The first bytes of the file, up to the data.
std::string encode_header(const std::filesystem::path& path, std::span<const TensorView> tensors,
                          const TensorMetadata& metadata) {
  nlohmann::ordered_json root;
  auto& about = root[std::string(kSafetensorsMetadataName)];
  for (const auto& [key, value] : metadata) about[key] = value;
  about[std::string(kIntegrityKey)] = integrity_hash(tensors, metadata);
  std::uint64_t offset = 0;
  for (const auto& tensor : tensors) {
    const auto end = offset + tensor.data.size();
    root[tensor.name] = {{"dtype", safetensors_name_of(tensor.dtype)},
                         {"shape", tensor.shape},
                         {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text;
  try {
    text = root.dump();
  } catch (const nlohmann::json::type_error& error) {
    throw std::invalid_argument(
        fmt::format("{}: a name or metadata is not UTF-8: {}", path.string(), error.what()));
  }
  // The format pads with spaces, so that the data is aligned.
  text.resize((text.size() + 7) / 8 * 8, ' ');
  if (text.size() > kLargestSafetensorsHeader) {
    throw std::invalid_argument(
        fmt::format("{}: a header of {} bytes, of which readers take at most {}", path.string(),
                    text.size(), kLargestSafetensorsHeader));
  }
  const std::uint64_t length = text.size();
  std::string bytes(sizeof(length), '\0');
  std::memcpy(bytes.data(), &length, sizeof(length));
  return bytes + text;
}

}  // namespace

std::string integrity_hash(std::span<const TensorView> tensors, const TensorMetadata& metadata) {
  Hasher hasher;
  const auto add = [&](std::string_view text) {
    // The length in front keeps "ab", "c" and "a", "bc" apart.
    const auto piece = fmt::format("{}:{}", text.size(), text);
    hasher.update(std::as_bytes(std::span(piece)));
  };
  for (const auto& [key, value] : metadata) {
    if (key == kIntegrityKey) continue;
    add(key);
    add(value);
  }
  std::vector<const TensorView*> by_name;
  for (const auto& tensor : tensors) by_name.push_back(&tensor);
  std::ranges::sort(by_name, {},
                    [](const TensorView* tensor) -> const std::string& { return tensor->name; });
  for (const auto* tensor : by_name) {
    add(tensor->name);
    add(describe(tensor->dtype, tensor->shape));
    hasher.update(tensor->data);
  }
  return hasher.hex();
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : path_(path), file_(path) {
  const auto bytes = file_.bytes();
  const auto text = header_text(path, bytes);
  const auto data = bytes.subspan(kSafetensorsLengthBytes + text.size());
  auto header = parse_safetensors_header(path, text, data.size());
  metadata_ = std::move(header.metadata);
  tensors_.reserve(header.tensors.size());
  for (auto& entry : header.tensors) {
    tensors_.push_back({.name = std::move(entry.name),
                        .dtype = entry.dtype,
                        .shape = std::move(entry.shape),
                        .data = data.subspan(entry.begin, entry.end - entry.begin)});
  }
  const auto stored = metadata_.extract(std::string(kIntegrityKey));
  if (stored.empty()) return;
  const auto computed = integrity_hash(tensors_, metadata_);
  if (stored.mapped() != computed) {
    throw DataError(
        path, std::nullopt,
        fmt::format("content of hash {} ({} in its header)", stored.mapped(), kIntegrityKey),
        fmt::format("content of hash {}: the file was damaged or changed", computed));
  }
  verified_ = true;
}

const TensorView* SafetensorsFile::find(std::string_view name) const noexcept {
  const auto it = std::ranges::find(tensors_, name, &TensorView::name);
  return it == tensors_.end() ? nullptr : &*it;
}

const TensorView& SafetensorsFile::require(std::string_view name, DType dtype,
                                           std::span<const std::uint64_t> shape) const {
  const auto expected = [&] {
    return fmt::format("tensor \"{}\" of {}", name, describe(dtype, shape));
  };
  const auto* tensor = find(name);
  if (tensor == nullptr) throw DataError(path_, std::nullopt, expected(), "none of that name");
  if (tensor->dtype != dtype || !std::ranges::equal(tensor->shape, shape)) {
    throw DataError(path_, std::nullopt, expected(), describe(tensor->dtype, tensor->shape));
  }
  return *tensor;
}

void write_safetensors(const std::filesystem::path& path, std::span<const TensorView> tensors,
                       const TensorMetadata& metadata) {
  check_writable(path, tensors, metadata);
  const auto ordered = by_falling_element_size(tensors);
  const auto header = encode_header(path, ordered, metadata);
  AtomicFile file(path);
  file.write(header);
  for (const auto& tensor : ordered) file.write(tensor.data);
  file.commit();
}

}  // namespace millrace
