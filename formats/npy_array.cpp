#include "formats/npy_array.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

#include "formats/byte_order.h"
#include "formats/compression.h"
#include "formats/error.h"
#include "formats/npy.h"

namespace millrace {
namespace {

Bytes allocate(const std::string& name, std::size_t size) {
  try {
    return Bytes::allocate(size);
  } catch (const std::bad_alloc&) {
    throw DataError(name, fmt::format("no memory for its {} bytes of elements", size));
  }
}

/// Elements from Fortran order, in which the first index runs fastest, to C order.
template <typename Word>
void transpose(const std::vector<std::uint64_t>& shape, std::span<const std::byte> from,
               std::span<std::byte> to) {
  constexpr std::size_t kTile = 64;  // rows that are written while a line of the source is at hand
  const auto rows = static_cast<std::size_t>(shape[0]);
  const std::size_t inner = from.size() / sizeof(Word) / rows;
  for (std::size_t first = 0; first < rows; first += kTile) {
    const auto end = std::min(rows, first + kTile);
    std::vector<std::uint64_t> index(shape.size());  // of an element within its row
    for (std::size_t e = 0; e < inner; ++e) {
      std::size_t column = 0;  // where Fortran has the element
      for (std::size_t d = shape.size(); d-- > 1;) {
        column = column * static_cast<std::size_t>(shape[d]) + static_cast<std::size_t>(index[d]);
      }
      for (std::size_t row = first; row < end; ++row) {
        std::memcpy(to.data() + (row * inner + e) * sizeof(Word),
                    from.data() + (column * rows + row) * sizeof(Word), sizeof(Word));
      }
      for (std::size_t d = shape.size(); d-- > 1;) {
        if (++index[d] < shape[d]) break;
        index[d] = 0;
      }
    }
  }
}

Bytes in_c_order(const std::string& name, const NpyHeader& header,
                 std::span<const std::byte> data) {
  auto ordered = allocate(name, data.size());
  const auto to = ordered.writable();
  switch (size_of(header.dtype)) {
    case 1:
      transpose<std::uint8_t>(header.shape, data, to);
      break;
    case 2:
      transpose<std::uint16_t>(header.shape, data, to);
      break;
    case 4:
      transpose<std::uint32_t>(header.shape, data, to);
      break;
    default:
      transpose<std::uint64_t>(header.shape, data, to);
  }
  return ordered;
}

/// `content`: the header and then exactly the elements that it says.
Array finish(std::string name, ParsedNpyHeader parsed, Bytes content) {
  const auto& header = parsed.header;
  const auto width = size_of(header.dtype);
  auto at = parsed.header_bytes;
  const auto data = [&] { return content.view().subspan(at); };
  const bool transposed = header.fortran_order && header.shape.size() > 1 && !data().empty();
  const bool aligned = reinterpret_cast<std::uintptr_t>(data().data()) % width == 0;
  if (transposed) {
    content = in_c_order(name, header, data());
    at = 0;
  } else if (content.mapped() && (header.big_endian || !aligned)) {
    auto copy = allocate(name, data().size());
    if (!data().empty()) std::memcpy(copy.writable().data(), data().data(), data().size());
    content = std::move(copy);
    at = 0;
  }
  if (header.big_endian) {
    const auto words = content.writable().subspan(at);
    convert_big_endian(words, words, width);
  }
  auto owner = std::make_shared<const Bytes>(std::move(content));
  const auto elements = owner->view().subspan(at);
  const bool mapped = owner->mapped();
  return {.name = std::move(name),
          .dtype = header.dtype,
          .dims = std::move(parsed.header.shape),
          .owner = std::move(owner),
          .data = elements,
          .mapped = mapped};
}

void check_size(const std::string& name, const ParsedNpyHeader& parsed, std::uint64_t found) {
  const auto size = parsed.header_bytes + npy_data_bytes(parsed.header);
  if (found != size) {
    throw DataError(name, std::min(found, size),
                    fmt::format("{} bytes (an npy file of {})", size, parsed.header.describe()),
                    std::to_string(found));
  }
}

}  // namespace

Array read_npy(const std::filesystem::path& path) {
  EncodedFile file(path);
  auto parsed = parse_npy_header(path, file.peek(kLargestNpyHeader));
  const auto size = parsed.header_bytes + npy_data_bytes(parsed.header);
  auto content = std::move(file).take(
      size, fmt::format("an npy file of {}", parsed.header.describe()), parsed.header_bytes);
  return finish(path.string(), std::move(parsed), std::move(content));
}

Array read_npy(const ZipFile& archive, const ZipMember& member) {
  auto name = archive.name_of(member);
  auto parsed = parse_npy_header(name, archive.peek(member, kLargestNpyHeader));
  check_size(name, parsed, member.size);
  auto content = archive.read(member, parsed.header_bytes);
  return finish(std::move(name), std::move(parsed), std::move(content));
}

Array read_npy(const std::string& name, std::span<const std::byte> content) {
  auto parsed = parse_npy_header(name, content);
  check_size(name, parsed, content.size());
  auto copy = Bytes::allocate(content.size(), parsed.header_bytes);
  std::memcpy(copy.writable().data(), content.data(), content.size());
  return finish(name, std::move(parsed), std::move(copy));
}

}  // namespace millrace
