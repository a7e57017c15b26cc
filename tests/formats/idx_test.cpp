#include "formats/idx.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/compressed.h"
#include "tests/support/files.h"
#include "tests/support/idx_files.h"
#include "tests/support/limits.h"

namespace millrace {
namespace {

using test::ByteVector;
using test::data_error_of;
using test::idx_header;
using test::joined;
using test::make_bytes;
using test::TempFolder;
using test::write_bytes;

constexpr DType kTypes[] = {DType::kUInt8, DType::kInt8,    DType::kInt16,
                            DType::kInt32, DType::kFloat32, DType::kFloat64};
constexpr const char* kExtensions[] = {"", ".gz", ".zst"};

std::size_t elements_of(const std::vector<std::uint32_t>& dims) {
  std::size_t product = 1;
  for (const auto dim : dims) product *= dim;
  return product;
}

ByteVector random_bytes(std::size_t size) {
  std::mt19937 random(size);
  ByteVector bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

/// Shapes of every rank that matters: none, the usual ones, many, and all the format allows; empty
/// ones too.
std::vector<std::vector<std::uint32_t>> shapes() {
  std::vector<std::vector<std::uint32_t>> all{
      {},        {0},          {1},
      {1000},    {5, 7},       {60, 28, 28},
      {3, 0, 4}, {2, 3, 4, 5}, {0, 4'000'000'000, 4'000'000'000}};
  all.emplace_back(16, 2);
  all.emplace_back(255, 1);
  return all;
}

TEST(Idx, WhatIsWrittenIsReadForEveryTypeShapeAndCompression) {
  const TempFolder folder;
  for (const auto dtype : kTypes) {
    for (const auto& dims : shapes()) {
      const IdxHeader header{.dtype = dtype, .dims = dims};
      const auto data = random_bytes(elements_of(dims) * size_of(dtype));
      for (const auto* extension : kExtensions) {
        const auto path = folder / (std::string("file") + extension);
        write_idx(path, header, data);
        const auto read = read_idx(path);
        EXPECT_EQ(read.header(), header) << header.describe() << extension;
        EXPECT_EQ(read.elements(), elements_of(dims));
        EXPECT_TRUE(std::ranges::equal(read.data(), data)) << header.describe() << extension;
        EXPECT_EQ(read_idx_header(path), header);
      }
    }
  }
}

TEST(Idx, ReadsTheBytesOfTheFormat) {
  const TempFolder folder;
  const auto big = write_bytes(
      folder / "i16", joined({idx_header(0x0b, {2}), make_bytes({0x12, 0x34, 0xff, 0xfe})}));
  const std::vector<std::int16_t> shorts{0x1234, -2};
  EXPECT_TRUE(std::ranges::equal(read_idx(big).data(), test::bytes_of(shorts)));

  const auto f64 = write_bytes(
      folder / "f64", joined({idx_header(0x0e, {}), make_bytes({0xc0, 4, 0, 0, 0, 0, 0, 0})}));
  const std::vector<double> doubles{-2.5};
  const auto read = read_idx(f64);
  EXPECT_EQ(read.dtype(), DType::kFloat64);
  EXPECT_TRUE(read.dims().empty());
  EXPECT_TRUE(std::ranges::equal(read.data(), test::bytes_of(doubles)));
}

TEST(Idx, WritesTheBytesOfTheFormat) {
  const TempFolder folder;
  const std::vector<std::int32_t> values{1, -2};
  write_idx(folder / "a", {.dtype = DType::kInt32, .dims = {2, 1}}, test::bytes_of(values));
  EXPECT_EQ(
      test::read_bytes(folder / "a"),
      make_bytes({0, 0, 0x0c, 2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xfe}));
}

TEST(Idx, MapsPlainBytesAndCopiesNothing) {
  const TempFolder folder;
  write_bytes(folder / "a", test::small_images(4));
  write_bytes(folder / "a.gz", test::gzip_member(test::small_images(4)));
  EXPECT_TRUE(read_idx(folder / "a").mapped());
  EXPECT_FALSE(read_idx(folder / "a.gz").mapped());
}

TEST(Idx, AlignsDataForItsType) {
  const TempFolder folder;
  for (const auto* extension : kExtensions) {
    const auto path = folder / (std::string("file") + extension);
    write_idx(path, {.dtype = DType::kFloat64, .dims = {2, 2}}, random_bytes(32));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(read_idx(path).data().data()) % 64, 0U) << extension;
  }
}

TEST(Idx, TheContentTellsTheCompressionAndNotTheName) {
  const TempFolder folder;
  EXPECT_EQ(read_idx(write_bytes(folder / "a.gz", test::small_images(2))).elements(), 12U);
  EXPECT_EQ(read_idx(write_bytes(folder / "b", test::zstd_frame(test::small_images(2)))).elements(),
            12U);
}

TEST(Idx, ReadsAFrameThatDoesNotSayItsSize) {
  const TempFolder folder;
  const auto frame = test::zstd_frame(test::small_images(1000), {.content_size = false});
  EXPECT_EQ(read_idx(write_bytes(folder / "a.zst", frame)).elements(), 6000U);
}

TEST(IdxHeader, DescribesItself) {
  EXPECT_EQ((IdxHeader{.dtype = DType::kUInt8, .dims = {60000, 28, 28}}.describe()),
            "60000x28x28 uint8");
  EXPECT_EQ((IdxHeader{.dtype = DType::kFloat32, .dims = {}}.describe()), "scalar float32");
  EXPECT_EQ((IdxHeader{.dtype = DType::kUInt8, .dims = {1, 2, 3}}.header_bytes()), 16U);
}

// Each bad file in each form: the message is the same, but for what compressed content cannot tell.
class BadIdx : public testing::TestWithParam<const char*> {
 protected:
  std::string error_of(const ByteVector& content) const {
    const std::string extension = GetParam();
    const auto path = folder_ / "file";
    write_bytes(path, extension == ".gz"    ? test::gzip_member(content)
                      : extension == ".zst" ? test::zstd_frame(content, {.content_size = false})
                                            : content);
    const auto message = data_error_of([&] { (void)read_idx(path); });
    const auto prefix = path.string() + ": ";
    EXPECT_TRUE(message.starts_with(prefix)) << message;
    return message.substr(std::min(prefix.size(), message.size()));
  }
  TempFolder folder_;
};

TEST_P(BadIdx, NoHeader) {
  EXPECT_EQ(error_of({}),
            "byte 0: expected an IDX header of at least 4 bytes, found the end of the content");
  EXPECT_EQ(error_of(make_bytes({0, 0, 8})),
            "byte 3: expected an IDX header of at least 4 bytes, found the end of the content");
}

TEST_P(BadIdx, WrongMagic) {
  EXPECT_EQ(error_of(make_bytes("<html>")),
            "byte 0: expected an IDX file (00 00, type, rank), found 3c 68 74 6d");
  EXPECT_EQ(error_of(make_bytes({0, 1, 8, 1, 0, 0, 0, 0})),
            "byte 0: expected an IDX file (00 00, type, rank), found 00 01 08 01");
}

TEST_P(BadIdx, UnknownType) {
  EXPECT_EQ(error_of(idx_header(0x0a, {1})),
            "byte 2: expected an IDX element type (08, 09, 0b, 0c, 0d or 0e), found 0a");
}

TEST_P(BadIdx, RankBeyondTheFile) {
  auto bytes = idx_header(0x08, {2, 3});
  bytes[3] = std::byte{255};
  EXPECT_EQ(error_of(bytes),
            "byte 12: expected 255 sizes of 4 bytes, as the rank at byte 3 says, found the end of "
            "the content");
}

TEST_P(BadIdx, SizesThatOverflow) {
  constexpr std::uint32_t kMost = 0xffffffff;
  EXPECT_EQ(error_of(idx_header(0x08, {kMost, kMost, kMost})),
            "byte 4: expected sizes whose product fits in 63 bits, found "
            "4294967295x4294967295x4294967295");
  // 2^64 exactly: a product of 64 bits would be 0.
  EXPECT_EQ(error_of(idx_header(0x08, {1U << 31, 1U << 31, 4})),
            "byte 4: expected sizes whose product fits in 63 bits, found 2147483648x2147483648x4");
  EXPECT_EQ(error_of(idx_header(0x0e, {1U << 31, 1U << 31})),
            "byte 4: expected sizes whose product fits in 63 bits, found 2147483648x2147483648")
      << "2^62 doubles of 8 bytes";
}

// 4 EiB that fit in 63 bits: nothing of the kind may be allocated.
TEST_P(BadIdx, SizesBeyondTheFile) {
  const auto message = error_of(idx_header(0x08, {1U << 31, 1U << 31}));
  const std::string expected =
      "expected 4611686018427387916 bytes (an IDX file of 2147483648x2147483648 uint8), found ";
  if (std::string(GetParam()).empty()) {
    EXPECT_EQ(message, "byte 12: " + expected + "the end of the content");
  } else {
    EXPECT_TRUE(message.starts_with(expected + "a ")) << message;
    EXPECT_NE(message.find("which can hold at most"), std::string::npos) << message;
  }
}

TEST_P(BadIdx, Truncated) {
  auto bytes = test::small_images(10);
  bytes.resize(bytes.size() - 1);
  EXPECT_EQ(
      error_of(bytes),
      "byte 75: expected 76 bytes (an IDX file of 10x2x3 uint8), found the end of the content");
  bytes.resize(16);
  EXPECT_EQ(
      error_of(bytes),
      "byte 16: expected 76 bytes (an IDX file of 10x2x3 uint8), found the end of the content");
}

TEST_P(BadIdx, TrailingBytes) {
  EXPECT_EQ(error_of(joined({test::small_images(10), make_bytes("x")})),
            "byte 76: expected the end of an IDX file of 10x2x3 uint8, found 1 bytes more");
}

INSTANTIATE_TEST_SUITE_P(Each, BadIdx, testing::ValuesIn(kExtensions), [](const auto& instance) {
  const std::string extension = instance.param;
  return extension.empty() ? std::string("plain") : extension.substr(1);
});

TEST(BadIdxFile, EveryTruncationIsAnError) {
  const TempFolder folder;
  const auto whole = test::small_images(3);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto path = write_bytes(folder / "a", std::span(whole).first(size));
    EXPECT_NE(data_error_of([&] { (void)read_idx(path); }), "") << size;
  }
}

TEST(BadIdxFile, BrokenCompressionIsNamed) {
  const TempFolder folder;
  auto gzip = test::gzip_member(test::small_images(10));
  gzip[gzip.size() - 8] ^= std::byte{1};
  EXPECT_TRUE(data_error_of([&] {
                (void)read_idx(write_bytes(folder / "a", gzip));
              }).starts_with((folder / "a").string() + ": broken gzip: byte "));
  auto zstd = test::zstd_frame(test::small_images(10));
  zstd.back() ^= std::byte{1};
  EXPECT_TRUE(data_error_of([&] {
                (void)read_idx(write_bytes(folder / "a", zstd));
              }).starts_with((folder / "a").string() + ": broken zstd: byte 0"));
}

TEST(BadIdxFile, AMissingFileIsNamed) {
  EXPECT_EQ(data_error_of([] { (void)read_idx("/nowhere/a"); }),
            "/nowhere/a: cannot open: No such file or directory");
}

TEST(WriteIdx, RefusesWhatTheFormatLacks) {
  const TempFolder folder;
  const auto write = [&](DType dtype, std::vector<std::uint32_t> dims, std::size_t bytes) {
    write_idx(folder / "a", {.dtype = dtype, .dims = std::move(dims)}, ByteVector(bytes));
  };
  EXPECT_THROW(write(DType::kInt64, {1}, 8), std::invalid_argument);
  EXPECT_THROW(write(DType::kUInt8, std::vector<std::uint32_t>(256, 1), 1), std::invalid_argument);
  EXPECT_THROW(write(DType::kUInt8, {5}, 4), std::invalid_argument);
  EXPECT_THROW(write(DType::kUInt8, {5}, 6), std::invalid_argument);
  EXPECT_THROW(write(DType::kUInt8, std::vector<std::uint32_t>(3, 0xffffffff), 6),
               std::invalid_argument);
  EXPECT_TRUE(folder.names().empty());
}

TEST(WriteIdx, AFullDiskLeavesTheOlderFile) {
  const TempFolder folder;
  write_bytes(folder / "a", make_bytes("old"));
  const test::FileSizeLimit limit(1000);
  EXPECT_EQ(
      data_error_of([&] {
        write_idx(folder / "a", {.dtype = DType::kUInt8, .dims = {5000}}, ByteVector(5000));
      }),
      (folder / "a").string() + ": cannot write 4008 bytes to its temporary file: File too large");
  EXPECT_EQ(test::read_bytes(folder / "a"), make_bytes("old"));
}

TEST(IdxWriter, AppendsPieceByPiece) {
  const TempFolder folder;
  for (const auto dtype : {DType::kUInt8, DType::kInt16, DType::kFloat64}) {
    for (const auto* extension : kExtensions) {
      const auto path = folder / (std::string("file") + extension);
      const IdxHeader header{.dtype = dtype, .dims = {50'000, 3}};
      const auto data = random_bytes(150'000 * size_of(dtype));
      IdxWriter writer(path, header);
      const std::span<const std::byte> all(data);
      const auto width = size_of(dtype);
      writer.append(all.first(width));
      writer.append({});
      writer.append(all.subspan(width, 100'000 * width));
      writer.append(all.subspan(100'001 * width));
      writer.commit();
      const auto read = read_idx(path);
      EXPECT_EQ(read.header(), header);
      EXPECT_TRUE(std::ranges::equal(read.data(), data));
    }
  }
}

TEST(IdxWriter, HoldsToItsHeader) {
  const TempFolder folder;
  IdxWriter writer(folder / "a", {.dtype = DType::kInt16, .dims = {2}});
  EXPECT_THROW(writer.append(ByteVector(1)), std::invalid_argument) << "half an element";
  EXPECT_THROW(writer.append(ByteVector(6)), std::invalid_argument) << "one too many";
  writer.append(ByteVector(2));
  EXPECT_THROW(writer.commit(), std::logic_error) << "one is missing";
  writer.append(ByteVector(2));
  writer.commit();
  EXPECT_EQ(read_idx(folder / "a").elements(), 2U);
}

}  // namespace
}  // namespace millrace
