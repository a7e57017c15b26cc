#include "formats/parquet_page.h"

#include <fmt/format.h>
#include <libdeflate.h>
#include <snappy.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>

#include "formats/error.h"
#include "formats/in_quotes.h"
#include "formats/little_endian.h"
#include "formats/thrift.h"

namespace millrace {
namespace {

using Type = ThriftReader::Type;

constexpr std::uint64_t kMost31 = std::numeric_limits<std::int32_t>::max();

std::uint32_t read_size(ThriftReader& in, Type type) {
  return static_cast<std::uint32_t>(in.read_count(type, kMost31));
}

/// `levels`: of data, and not of a dictionary.
void read_data_header(ThriftReader& in, ParquetPageHeader& header, bool levels) {
  in.read_struct([&](std::int16_t id, Type type) {
    if (id == 1) {
      header.slots = read_size(in, type);
    } else if (id == 2) {
      header.encoding = static_cast<ParquetEncoding>(in.read_count(type, 255));
    } else if (levels && (id == 3 || id == 4)) {
      constexpr auto kBitPacked = static_cast<std::uint64_t>(ParquetEncoding::kBitPacked);
      (id == 3 ? header.packed_definitions : header.packed_repetitions) =
          in.read_count(type, 255) == kBitPacked;
    } else {
      in.skip(type);
    }
  });
}

void read_data_v2_header(ThriftReader& in, ParquetPageHeader& header) {
  in.read_struct([&](std::int16_t id, Type type) {
    if (id == 1) {
      header.slots = read_size(in, type);
    } else if (id == 4) {
      header.encoding = static_cast<ParquetEncoding>(in.read_count(type, 255));
    } else if (id == 5) {
      header.definition_bytes = read_size(in, type);
    } else if (id == 6) {
      header.repetition_bytes = read_size(in, type);
    } else if (id == 7) {
      header.compressed = in.read_bool(type);
    } else {
      in.skip(type);
    }
  });
}

std::string_view name_of(ParquetCodec codec) {
  switch (codec) {
    case ParquetCodec::kNone:
      return "nothing";
    case ParquetCodec::kSnappy:
      return "Snappy";
    case ParquetCodec::kGzip:
      return "gzip";
    case ParquetCodec::kLzo:
      return "LZO";
    case ParquetCodec::kBrotli:
      return "Brotli";
    case ParquetCodec::kLz4:
    case ParquetCodec::kLz4Raw:
      return "LZ4";
    case ParquetCodec::kZstd:
      return "zstd";
  }
  return {};
}

/// Bytes that one compressed byte can make at most. Snappy: a copy of up to 64 bytes takes three
/// (https://github.com/google/snappy/blob/main/format_description.txt).
std::uint64_t highest_ratio(ParquetCodec codec) {
  switch (codec) {
    case ParquetCodec::kSnappy:
      return 22;
    case ParquetCodec::kGzip:
      return 1032;
    case ParquetCodec::kZstd:
      return (std::uint64_t{128} << 10) / 4;
    default:
      return 1;
  }
}

bool decompress(ParquetCodec codec, std::span<const std::byte> in, std::span<std::byte> out) {
  switch (codec) {
    case ParquetCodec::kSnappy: {
      const auto* from = reinterpret_cast<const char*>(in.data());
      std::size_t size = 0;
      return snappy::GetUncompressedLength(from, in.size(), &size) && size == out.size() &&
             snappy::RawUncompress(from, in.size(), reinterpret_cast<char*>(out.data()));
    }
    case ParquetCodec::kGzip: {
      struct Free {
        void operator()(libdeflate_decompressor* it) const noexcept {
          libdeflate_free_decompressor(it);
        }
      };
      const std::unique_ptr<libdeflate_decompressor, Free> made(libdeflate_alloc_decompressor());
      if (made == nullptr) throw std::bad_alloc();
      // A page may be several members.
      while (!in.empty()) {
        std::size_t taken = 0;
        std::size_t made_bytes = 0;
        if (libdeflate_gzip_decompress_ex(made.get(), in.data(), in.size(), out.data(), out.size(),
                                          &taken, &made_bytes) != LIBDEFLATE_SUCCESS) {
          return false;
        }
        in = in.subspan(taken);
        out = out.subspan(made_bytes);
      }
      return out.empty();
    }
    case ParquetCodec::kZstd:
      return ZSTD_decompress(out.data(), out.size(), in.data(), in.size()) == out.size();
    default:
      return false;
  }
}

/// What a page stores, decompressed to `size` bytes: in `room`, or else in `page`, which keeps it.
void decompress_to(const ParquetFile& file, ParquetCodec codec, std::uint64_t at,
                   std::span<const std::byte> in, std::uint64_t size, Bytes* room,
                   ParquetPage& page) {
  if (codec != ParquetCodec::kSnappy && codec != ParquetCodec::kGzip &&
      codec != ParquetCodec::kZstd) {
    throw DataError(
        file.path(), at, "a page that is compressed by Snappy, gzip or zstd, or not",
        fmt::format("one by {} (write the file with another compression)", name_of(codec)));
  }
  if (size > (in.size() + 1) * highest_ratio(codec)) {
    throw DataError(file.path(), at,
                    fmt::format("a page of at most {} bytes, as {} of {} can hold",
                                (in.size() + 1) * highest_ratio(codec), in.size(), name_of(codec)),
                    std::to_string(size));
  }
  auto& out = room != nullptr ? *room : page.owner;
  if (out.size() < size) out = Bytes::allocate(static_cast<std::size_t>(size));
  const auto to = out.writable().first(static_cast<std::size_t>(size));
  if (!decompress(codec, in, to)) {
    throw DataError(file.path(), at,
                    fmt::format("a page that {} decompresses to {} bytes", name_of(codec), size),
                    "other bytes");
  }
  page.values = to;
}

/// Levels of a page of the first version stand behind their length in four bytes.
std::span<const std::byte> take_levels(const ParquetFile& file, const ParquetPageHeader& header,
                                       std::span<const std::byte>& content) {
  constexpr std::size_t kLength = 4;
  if (content.size() < kLength || load_little_endian32(content.data()) > content.size() - kLength) {
    throw DataError(file.path(), header.at, "the levels of a page within it", "longer ones");
  }
  const auto size = load_little_endian32(content.data());
  const auto levels = content.subspan(kLength, size);
  content = content.subspan(kLength + size);
  return levels;
}

}  // namespace

ParquetPageHeader read_page_header(const ParquetFile& file, std::uint64_t at, std::uint64_t end) {
  const auto bytes =
      file.bytes().subspan(static_cast<std::size_t>(at), static_cast<std::size_t>(end - at));
  ThriftReader in(file.path(), bytes, at);
  ParquetPageHeader header;
  std::optional<std::uint64_t> kind;
  in.read_struct([&](std::int16_t id, Type type) {
    if (id == 1) {
      kind = in.read_count(type, 3);
    } else if (id == 2) {
      header.size = read_size(in, type);
    } else if (id == 3) {
      header.stored = read_size(in, type);
    } else if (id == 4) {
      header.crc = static_cast<std::uint32_t>(in.read_integer(type));
    } else if (id == 5 || id == 7) {
      in.expect(type, Type::kStruct);
      read_data_header(in, header, id == 5);  // a dictionary's has the same first fields
    } else if (id == 8) {
      in.expect(type, Type::kStruct);
      read_data_v2_header(in, header);
    } else {
      in.skip(type);
    }
  });
  if (!kind) throw DataError(file.path(), at, "the header of a page", "one without a type");
  header.kind = static_cast<ParquetPageHeader::Kind>(*kind);
  header.at = at + in.consumed();
  if (header.stored > end - header.at) {
    throw DataError(file.path(), at, fmt::format("a page of at most {} bytes", end - header.at),
                    std::to_string(header.stored));
  }
  return header;
}

std::optional<ParquetPageHeader> ParquetPages::next() {
  const auto end = chunk_.at + chunk_.bytes;
  while (slots_ < chunk_.values) {
    if (at_ == end) {
      throw DataError(file_.path(), at_, fmt::format("pages of {} values", chunk_.values),
                      std::to_string(slots_));
    }
    const auto header = read_page_header(file_, at_, end);
    at_ = header.end();
    if (header.kind == ParquetPageHeader::Kind::kIndex) continue;
    if (header.kind == ParquetPageHeader::Kind::kDictionary) return header;
    if (header.slots > chunk_.values - slots_) {
      throw DataError(file_.path(), header.at,
                      fmt::format("a page of at most {} values", chunk_.values - slots_),
                      std::to_string(header.slots));
    }
    slots_ += header.slots;
    return header;
  }
  return std::nullopt;
}

ParquetPage read_page(const ParquetFile& file, const ParquetLeaf& leaf, ParquetCodec codec,
                      const ParquetPageHeader& header, Bytes* room) {
  const auto stored = file.bytes().subspan(static_cast<std::size_t>(header.at), header.stored);
  if (header.crc) {
    const auto found = libdeflate_crc32(0, stored.data(), stored.size());
    if (found != *header.crc) {
      throw DataError(file.path(), header.at,
                      fmt::format("a page with checksum {:08x}", *header.crc),
                      fmt::format("{:08x}", found));
    }
  }
  ParquetPage page;
  const bool dictionary = header.kind == ParquetPageHeader::Kind::kDictionary;
  if (header.kind == ParquetPageHeader::Kind::kDataV2) {
    const std::uint64_t levels = std::uint64_t{header.repetition_bytes} + header.definition_bytes;
    if (levels > header.stored || levels > header.size) {
      throw DataError(file.path(), header.at, "the levels of a page within it", "longer ones");
    }
    const auto begin = static_cast<std::size_t>(levels);
    page.repetitions = stored.first(header.repetition_bytes);
    page.definitions = stored.subspan(header.repetition_bytes, header.definition_bytes);
    page.values = stored.subspan(begin);
    if (header.compressed && codec != ParquetCodec::kNone && header.size > begin) {
      decompress_to(file, codec, header.at, page.values, header.size - begin, room, page);
    }
    return page;
  }
  page.values = stored;
  if (codec != ParquetCodec::kNone && header.size > 0) {
    decompress_to(file, codec, header.at, stored, header.size, room, page);
  }
  if (!dictionary && ((leaf.repetition > 0 && header.packed_repetitions) ||
                      (leaf.definition > 0 && header.packed_definitions))) {
    throw DataError(file.path(), header.at, "levels in runs, as files have them since 2013",
                    "the encoding before them");
  }
  if (!dictionary && leaf.repetition > 0) {
    page.repetitions = take_levels(file, header, page.values);
  }
  if (!dictionary && leaf.definition > 0) {
    page.definitions = take_levels(file, header, page.values);
  }
  return page;
}

}  // namespace millrace
