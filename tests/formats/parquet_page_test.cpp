#include "formats/parquet_page.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/parquet_files.h"

namespace millrace {
namespace {

using test::ByteVector;
using test::data_error_of;
using test::number_field;
using test::ParquetField;
using test::ParquetForm;
using test::ThriftWriter;
using Kind = ParquetPageHeader::Kind;

/// 40 numbers that compress well; none is missing.
ParquetField zeros() {
  return {.name = "a",
          .type = ParquetType::kInt32,
          .cells = test::ParquetCellValues(40, test::plain(std::int32_t{0}))};
}

class ParquetPageTest : public testing::Test {
 protected:
  ParquetFile write(const ByteVector& bytes) const {
    return ParquetFile(test::write_bytes(folder_ / "a.parquet", bytes));
  }
  ParquetFile write(const std::vector<ParquetField>& fields, const ParquetForm& form = {}) const {
    return write(test::parquet_of(fields, form));
  }
  static const ParquetChunk& chunk_of(const ParquetFile& file, std::size_t leaf = 0) {
    return file.footer().groups.at(0).chunks.at(leaf);
  }
  static ParquetPageHeader header_of(const ParquetFile& file) {
    return ParquetPages(file, chunk_of(file)).next().value();
  }
  static ParquetPage page_of(const ParquetFile& file) {
    return read_page(file, file.footer().leaves.at(0), chunk_of(file).codec, header_of(file));
  }
  /// Of a file of 40 zeros in a chunk of these bytes.
  ParquetFile of_chunk(const ByteVector& chunk, std::int64_t values = 40, int codec = 0) const {
    auto [columns, info] = test::ParquetWriter({zeros()}, {}).write();
    info.rows = values;
    auto& group = info.groups.at(0);
    group.rows = values;
    group.chunks.at(0) = {.type = 1,
                          .codec = codec,
                          .values = values,
                          .at = 4,
                          .bytes = static_cast<std::int64_t>(chunk.size())};
    return write(test::parquet_file(chunk, test::footer_struct(info)));
  }
  /// A plain data page's header, before its fields 5 or 8.
  static ThriftWriter header(int kind, std::int64_t size, std::int64_t stored) {
    ThriftWriter out;
    out.integer(1, kind, ThriftWriter::kInt32).integer(2, size, ThriftWriter::kInt32);
    out.integer(3, stored, ThriftWriter::kInt32);
    return out;
  }
  static ByteVector data_page(std::int64_t slots, const ByteVector& content, std::int64_t size) {
    auto out = header(0, size, static_cast<std::int64_t>(content.size()));
    out.begin(5).integer(1, slots, ThriftWriter::kInt32).integer(2, 0, ThriftWriter::kInt32).end();
    return test::joined({out.take(), content});
  }
  std::string error_of(const std::function<void()>& action) const {
    const auto message = data_error_of(action);
    const auto path = (folder_ / "a.parquet").string() + ": ";
    EXPECT_TRUE(message.starts_with(path)) << message;
    return message.substr(std::min(message.size(), path.size()));
  }

  test::TempFolder folder_;
};

TEST_F(ParquetPageTest, HasAHeader) {
  const auto file = write({zeros()}, {.checksums = true});
  const auto header = header_of(file);
  EXPECT_EQ(header.kind, Kind::kData);
  EXPECT_EQ(header.encoding, ParquetEncoding::kPlain);
  EXPECT_EQ(header.slots, 40U);
  EXPECT_EQ(header.stored, 160U);
  EXPECT_EQ(header.size, 160U);
  EXPECT_TRUE(header.crc);
  EXPECT_EQ(header.end(), chunk_of(file).at + chunk_of(file).bytes);
  EXPECT_EQ(page_of(file).values.size(), 160U);
}

TEST_F(ParquetPageTest, ComesWithTheOthersOfItsChunk) {
  for (const int version : {1, 2}) {
    const auto file = write({zeros()}, {.version = version, .dictionaries = true, .page_rows = 15});
    ParquetPages pages(file, chunk_of(file));
    const auto dictionary = pages.next().value();
    EXPECT_EQ(dictionary.kind, Kind::kDictionary);
    EXPECT_EQ(dictionary.slots, 1U);
    std::vector<std::uint32_t> slots;
    for (auto header = pages.next(); header; header = pages.next()) {
      EXPECT_EQ(header->kind, version == 1 ? Kind::kData : Kind::kDataV2);
      slots.push_back(header->slots);
    }
    EXPECT_EQ(slots, (std::vector<std::uint32_t>{15, 15, 10}));
  }
}

TEST_F(ParquetPageTest, IsDecompressed) {
  const auto plain = write({zeros()});
  const auto expected = ByteVector(page_of(plain).values.begin(), page_of(plain).values.end());
  for (const auto codec : {ParquetCodec::kSnappy, ParquetCodec::kGzip, ParquetCodec::kZstd}) {
    for (const int version : {1, 2}) {
      for (const bool levels : {false, true}) {
        auto field = zeros();
        field.optional = levels;
        const auto file = write({field}, {.codec = codec, .version = version, .checksums = true});
        EXPECT_LT(header_of(file).stored, header_of(file).size);
        const auto page = page_of(file);
        EXPECT_TRUE(std::ranges::equal(page.values, expected));
        EXPECT_EQ(page.definitions.empty(), !levels);
        EXPECT_TRUE(page.repetitions.empty());
      }
    }
  }
}

TEST_F(ParquetPageTest, HasLevelsInFront) {
  for (const int version : {1, 2}) {
    const auto field = number_field<std::int32_t>("a", {1, 2, 3, std::nullopt}).in_lists_of({2});
    const auto file = write({field}, {.version = version});
    const auto page = page_of(file);
    const std::vector<std::uint32_t> repetitions{0, 1, 0, 1};
    const std::vector<std::uint32_t> definitions{3, 3, 3, 2};
    EXPECT_TRUE(std::ranges::equal(page.repetitions, test::rle_of(repetitions, 1)));
    EXPECT_TRUE(std::ranges::equal(page.definitions, test::rle_of(definitions, 2)));
    EXPECT_EQ(page.values.size(), 12U);
  }
}

TEST_F(ParquetPageTest, MayBeOfTheSecondVersionAndNotCompressed) {
  auto out = header(3, 160, 160);
  out.begin(8).integer(1, 40, ThriftWriter::kInt32).integer(4, 0, ThriftWriter::kInt32);
  out.boolean(7, false).end();
  const auto file = of_chunk(test::joined({out.take(), ByteVector(160)}), 40, 1);
  EXPECT_EQ(page_of(file).values.size(), 160U);
}

TEST_F(ParquetPageTest, IsPassedOverWhereItIsAnIndex) {
  auto index = header(1, 5, 5);
  index.begin(6).end();
  const auto file =
      of_chunk(test::joined({index.take(), ByteVector(5), data_page(40, ByteVector(160), 160)}));
  const auto header = header_of(file);
  EXPECT_EQ(header.kind, Kind::kData);
  EXPECT_EQ(header.slots, 40U);
}

TEST_F(ParquetPageTest, IsRefusedWithAnotherChecksum) {
  auto bytes = test::parquet_of({zeros()}, {.checksums = true});
  const auto at = header_of(write(bytes)).at;
  bytes[static_cast<std::size_t>(at) + 7] ^= std::byte{1};
  const auto file = write(bytes);
  const auto sum = header_of(file).crc.value();
  const auto found = libdeflate_crc32(0, bytes.data() + at, 160);
  const auto hex = [](std::uint32_t value) {
    char text[9];
    (void)std::snprintf(text, sizeof text, "%08x", value);
    return std::string(text);
  };
  EXPECT_EQ(error_of([&] { (void)page_of(file); }), "byte " + std::to_string(at) +
                                                        ": expected a page with checksum " +
                                                        hex(sum) + ", found " + hex(found));
}

TEST_F(ParquetPageTest, IsRefusedWithABrokenHeader) {
  const auto error = [&](const ByteVector& chunk) {
    return error_of([&] { (void)header_of(of_chunk(chunk)); });
  };
  ThriftWriter none;
  none.integer(2, 5, ThriftWriter::kInt32);
  EXPECT_EQ(error(none.take()), "byte 4: expected the header of a page, found one without a type");
  EXPECT_EQ(error(header(4, 5, 5).take()), "byte 6: expected a number from 0 to 3, found 4");
  EXPECT_EQ(error(header(0, -5, 5).take()),
            "byte 8: expected a number from 0 to 2147483647, found -5");
}

TEST_F(ParquetPageTest, IsRefusedWhereItIsLongerThanItsChunk) {
  auto chunk = data_page(40, ByteVector(160), 160);
  chunk.pop_back();
  EXPECT_EQ(error_of([&] { (void)header_of(of_chunk(chunk)); }),
            "byte 4: expected a page of at most 159 bytes, found 160");
}

TEST_F(ParquetPageTest, IsRefusedWithOtherNumbersOfValues) {
  const auto all = [&](const ByteVector& chunk) {
    const auto file = of_chunk(chunk);
    return error_of([&] {
      ParquetPages pages(file, chunk_of(file));
      while (pages.next()) {
      }
    });
  };
  const auto few = data_page(39, ByteVector(160), 160);
  EXPECT_EQ(all(few),
            "byte " + std::to_string(4 + few.size()) + ": expected pages of 40 values, found 39");
  EXPECT_EQ(all(data_page(41, ByteVector(160), 160)),
            "byte 19: expected a page of at most 40 values, found 41");
}

TEST_F(ParquetPageTest, IsRefusedWhereItDoesNotDecompress) {
  const auto error = [&](int codec, std::int64_t size) {
    const auto file = of_chunk(data_page(40, ByteVector(9, std::byte{'x'}), size), 40, codec);
    const auto message = error_of([&] { (void)page_of(file); });
    return message.substr(message.find("expected"));
  };
  EXPECT_EQ(error(1, 160),
            "expected a page that Snappy decompresses to 160 bytes, found other "
            "bytes");
  EXPECT_EQ(error(2, 160),
            "expected a page that gzip decompresses to 160 bytes, found other bytes");
  EXPECT_EQ(error(6, 160),
            "expected a page that zstd decompresses to 160 bytes, found other bytes");
  EXPECT_EQ(error(1, 221),
            "expected a page of at most 220 bytes, as 9 of Snappy can hold, found 221");
  EXPECT_EQ(error(3, 160),
            "expected a page that is compressed by Snappy, gzip or zstd, or not, found one by LZO "
            "(write the file with another compression)");
  for (const auto& [codec, name] :
       {std::pair(4, "Brotli"), std::pair(5, "LZ4"), std::pair(7, "LZ4")}) {
    EXPECT_NE(error(codec, 160).find(name), std::string::npos);
  }
}

TEST_F(ParquetPageTest, IsRefusedWithAnotherSizeThanItDecompressesTo) {
  const ByteVector content(160);
  for (const auto codec : {ParquetCodec::kSnappy, ParquetCodec::kGzip, ParquetCodec::kZstd}) {
    const auto stored = test::compressed_by(codec, content);
    for (const std::int64_t size : {159, 161}) {
      const auto file = of_chunk(data_page(40, stored, size), 40, static_cast<int>(codec));
      const auto message = error_of([&] { (void)page_of(file); });
      EXPECT_NE(message.find("decompresses to"), std::string::npos) << message;
    }
  }
}

TEST_F(ParquetPageTest, IsRefusedWithLevelsLongerThanIt) {
  auto field = zeros();
  field.optional = true;
  auto bytes = test::parquet_of({field});
  const auto at = static_cast<std::size_t>(header_of(write(bytes)).at);
  bytes[at + 1] = std::byte{9};
  const auto file = write(bytes);
  const auto expected =
      "byte " + std::to_string(at) + ": expected the levels of a page within it, found longer ones";
  EXPECT_EQ(error_of([&] { (void)page_of(file); }), expected);
  auto out = header(3, 160, 160);
  out.begin(8).integer(1, 40, ThriftWriter::kInt32).integer(4, 0, ThriftWriter::kInt32);
  out.integer(5, 100, ThriftWriter::kInt32).integer(6, 61, ThriftWriter::kInt32).end();
  const auto second = of_chunk(test::joined({out.take(), ByteVector(160)}));
  const auto message = error_of([&] { (void)page_of(second); });
  EXPECT_NE(message.find("expected the levels of a page within it, found longer ones"),
            std::string::npos)
      << message;
}

}  // namespace
}  // namespace millrace
