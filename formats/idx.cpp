#include "formats/idx.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <limits>
#include <stdexcept>
#include <utility>

#include "formats/byte_order.h"
#include "formats/compression.h"
#include "formats/error.h"

namespace millrace {
namespace {

struct TypeByte {
  std::uint8_t byte;
  DType dtype;
};
constexpr std::array<TypeByte, 6> kTypes{{{0x08, DType::kUInt8},
                                          {0x09, DType::kInt8},
                                          {0x0b, DType::kInt16},
                                          {0x0c, DType::kInt32},
                                          {0x0d, DType::kFloat32},
                                          {0x0e, DType::kFloat64}}};
constexpr std::size_t kSwapBytes = std::size_t{64} << 10;

std::optional<DType> dtype_of(std::uint8_t byte) noexcept {
  for (const auto& type : kTypes) {
    if (type.byte == byte) return type.dtype;
  }
  return std::nullopt;
}

/// `head`: the first kLargestIdxHeader bytes of the content, or all of a shorter one.
IdxHeader parse_header(const std::filesystem::path& path, std::span<const std::byte> head) {
  if (head.size() < 4) {
    throw DataError(path, head.size(), "an IDX header of at least 4 bytes",
                    "the end of the content");
  }
  const auto byte = [&](std::size_t i) { return std::to_integer<std::uint8_t>(head[i]); };
  if (byte(0) != 0 || byte(1) != 0) {
    throw DataError(path, 0, "an IDX file (00 00, type, rank)",
                    fmt::format("{:02x} {:02x} {:02x} {:02x}", byte(0), byte(1), byte(2), byte(3)));
  }
  const auto dtype = dtype_of(byte(2));
  if (!dtype) {
    throw DataError(path, 2, "an IDX element type (08, 09, 0b, 0c, 0d or 0e)",
                    fmt::format("{:02x}", byte(2)));
  }
  IdxHeader header{.dtype = *dtype, .dims = std::vector<std::uint32_t>(byte(3))};
  if (head.size() < header.header_bytes()) {
    throw DataError(
        path, head.size(),
        fmt::format("{} sizes of 4 bytes, as the rank at byte 3 says", header.dims.size()),
        "the end of the content");
  }
  for (std::size_t i = 0; i < header.dims.size(); ++i) {
    header.dims[i] = load_big_endian32(&head[4 + 4 * i]);
  }
  return header;
}

/// Bytes of the data; nullopt if header and data together pass 2^63 - 1.
std::optional<std::uint64_t> data_bytes(const IdxHeader& header) noexcept {
  const auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  std::uint64_t bytes = size_of(header.dtype);
  bool overflow = false;
  for (const std::uint64_t dim : header.dims) {
    if (dim == 0) return 0;
    if (bytes > most / dim) overflow = true;
    if (!overflow) bytes *= dim;
  }
  if (overflow || bytes > most - header.header_bytes()) return std::nullopt;
  return bytes;
}

/// Checks that IDX can hold it.
std::uint64_t checked_data_bytes(const IdxHeader& header) {
  if (!idx_type(header.dtype)) {
    throw std::invalid_argument(fmt::format("IDX has no element type {}", name_of(header.dtype)));
  }
  if (header.dims.size() > 255) {
    throw std::invalid_argument(
        fmt::format("IDX has at most 255 dimensions, not {}", header.dims.size()));
  }
  const auto bytes = data_bytes(header);
  if (!bytes) throw std::invalid_argument(header.describe() + " is larger than any file");
  return *bytes;
}

}  // namespace

std::string IdxHeader::describe() const {
  if (dims.empty()) return fmt::format("scalar {}", name_of(dtype));
  return fmt::format("{} {}", fmt::join(dims, "x"), name_of(dtype));
}

std::optional<std::uint8_t> idx_type(DType dtype) noexcept {
  for (const auto& type : kTypes) {
    if (type.dtype == dtype) return type.byte;
  }
  return std::nullopt;
}

IdxArray::IdxArray(std::filesystem::path path, IdxHeader header, Bytes bytes,
                   std::size_t data_offset)
    : path_(std::move(path)),
      header_(std::move(header)),
      bytes_(std::move(bytes)),
      data_offset_(data_offset) {}

IdxHeader parse_idx_header(const std::filesystem::path& path, std::span<const std::byte> content) {
  auto header = parse_header(path, content.first(std::min(content.size(), kLargestIdxHeader)));
  if (!data_bytes(header)) {
    throw DataError(path, 4, "sizes whose product fits in 63 bits",
                    fmt::format("{}", fmt::join(header.dims, "x")));
  }
  return header;
}

std::vector<std::byte> encode_idx_header(const IdxHeader& header) {
  checked_data_bytes(header);
  std::vector<std::byte> bytes(header.header_bytes());
  bytes[2] = static_cast<std::byte>(idx_type(header.dtype).value());
  bytes[3] = static_cast<std::byte>(header.dims.size());
  for (std::size_t i = 0; i < header.dims.size(); ++i) {
    store_big_endian32(header.dims[i], &bytes[4 + 4 * i]);
  }
  return bytes;
}

std::uint64_t idx_data_bytes(const IdxHeader& header) { return checked_data_bytes(header); }

IdxHeader read_idx_header(const std::filesystem::path& path) {
  return parse_idx_header(path, EncodedFile(path).peek(kLargestIdxHeader));
}

IdxArray read_idx(const std::filesystem::path& path) {
  EncodedFile file(path);
  auto header = parse_idx_header(path, file.peek(kLargestIdxHeader));
  const auto offset = header.header_bytes();
  const auto size = offset + data_bytes(header).value();
  auto bytes =
      std::move(file).take(size, fmt::format("an IDX file of {}", header.describe()), offset);
  const auto width = size_of(header.dtype);
  if (width == 1) return {path, std::move(header), std::move(bytes), offset};
  if (!bytes.mapped()) {
    const auto data = bytes.writable().subspan(offset);
    convert_big_endian(data, data, width);
    return {path, std::move(header), std::move(bytes), offset};
  }
  const auto stored = bytes.view().subspan(offset);
  auto swapped = Bytes::allocate(stored.size());
  convert_big_endian(stored, swapped.writable(), width);
  return {path, std::move(header), std::move(swapped), 0};
}

void write_idx(const std::filesystem::path& path, const IdxHeader& header,
               std::span<const std::byte> data) {
  const auto expected = checked_data_bytes(header);
  if (data.size() != expected) {
    throw std::invalid_argument(fmt::format("{}: {} bytes of data given for {}, which takes {}",
                                            path.string(), data.size(), header.describe(),
                                            expected));
  }
  IdxWriter writer(path, header);
  writer.append(data);
  writer.commit();
}

IdxWriter::IdxWriter(const std::filesystem::path& path, IdxHeader header, std::optional<int> level)
    : path_(path.string()),
      header_(std::move(header)),
      file_(path, header_.header_bytes() + checked_data_bytes(header_), level) {
  file_.write(encode_idx_header(header_));
}

void IdxWriter::append(std::span<const std::byte> elements) {
  const auto width = size_of(header_.dtype);
  if (elements.size() % width != 0 || elements.size() > file_.remaining()) {
    throw std::invalid_argument(fmt::format("{}: {} bytes appended where {} of {} are to come",
                                            path_, elements.size(), file_.remaining(),
                                            header_.describe()));
  }
  if (width == 1) {
    file_.write(elements);
    return;
  }
  swapped_.resize(kSwapBytes);
  while (!elements.empty()) {
    const auto piece = elements.first(std::min(elements.size(), swapped_.size()));
    const auto target = std::span(swapped_).first(piece.size());
    convert_big_endian(piece, target, width);
    file_.write(target);
    elements = elements.subspan(piece.size());
  }
}

void IdxWriter::finish() { file_.finish(); }

void IdxWriter::commit() { file_.commit(); }

}  // namespace millrace
