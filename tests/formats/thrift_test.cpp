#include "formats/thrift.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/parquet_files.h"

namespace millrace {
namespace {

using test::ByteVector;
using test::data_error_of;
using test::make_bytes;
using test::ThriftWriter;
using Type = ThriftReader::Type;

const std::filesystem::path kFile = "f";
constexpr std::uint64_t kAt = 100;

/// Reads a struct whose first field `read(reader, type)` takes; the others are skipped.
template <typename Read>
void read_first(const ByteVector& bytes, Read read) {
  ThriftReader in(kFile, bytes, kAt);
  in.read_struct([&](std::int16_t id, Type type) {
    if (id == 1) {
      read(in, type);
    } else {
      in.skip(type);
    }
  });
}

void skip_all(const ByteVector& bytes) {
  ThriftReader in(kFile, bytes, kAt);
  in.read_struct([&](std::int16_t /*id*/, Type type) { in.skip(type); });
}

std::int64_t integer_of(const ByteVector& bytes) {
  std::int64_t value = 0;
  read_first(bytes, [&](ThriftReader& in, Type type) { value = in.read_integer(type); });
  return value;
}

TEST(Thrift, ReadsIntegersOfAnyWidth) {
  using Limits = std::numeric_limits<std::int64_t>;
  for (const std::int64_t value :
       {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1}, std::int64_t{63}, std::int64_t{-64},
        std::int64_t{64}, std::int64_t{1} << 40, Limits::max(), Limits::min()}) {
    for (const int type : {ThriftWriter::kInt16, ThriftWriter::kInt32, ThriftWriter::kInt64}) {
      EXPECT_EQ(integer_of(ThriftWriter().integer(1, value, type).take()), value);
    }
  }
  EXPECT_EQ(integer_of(make_bytes({0x13, 0xFE, 0})), -2) << "a byte is one as it stands";
  EXPECT_EQ(integer_of(make_bytes({0x13, 0x7F, 0})), 127);
}

TEST(Thrift, FindsFieldsWhateverTheirIdsAre) {
  const auto bytes = ThriftWriter()
                         .integer(1, 10)
                         .integer(15, 20)
                         .integer(31, 30)
                         .integer(2, 40)
                         .integer(-5, 50)
                         .integer(32767, 60)
                         .take();
  std::vector<int> ids;
  std::vector<std::int64_t> values;
  ThriftReader in(kFile, bytes, kAt);
  in.read_struct([&](std::int16_t id, Type type) {
    ids.push_back(id);
    values.push_back(in.read_integer(type));
  });
  EXPECT_EQ(ids, (std::vector<int>{1, 15, 31, 2, -5, 32767}));
  EXPECT_EQ(values, (std::vector<std::int64_t>{10, 20, 30, 40, 50, 60}));
  EXPECT_EQ(in.consumed(), bytes.size());
}

TEST(Thrift, ReadsBoolsTextsListsAndStructs) {
  const auto bytes = ThriftWriter()
                         .boolean(1, true)
                         .boolean(2, false)
                         .binary(3, "caf\xc3\xa9")
                         .list(4, ThriftWriter::kBinary, 16)
                         .element("0123456789abcdef")
                         .raw(ByteVector(15))  // empty texts
                         .begin(5)
                         .integer(9, 7)
                         .end()
                         .take();
  std::string said;
  ThriftReader in(kFile, bytes, kAt);
  in.read_struct([&](std::int16_t id, Type type) {
    if (id < 3) {
      said += in.read_bool(type) ? "yes " : "no ";
    } else if (id == 3) {
      said += in.read_binary(type);
    } else if (id == 4) {
      in.read_list(type, [&](Type of) { said += '[' + std::string(in.read_binary(of)) + ']'; });
    } else {
      in.expect(type, Type::kStruct);
      in.read_struct([&](std::int16_t inner, Type of) {
        said += std::to_string(inner) + '=' + std::to_string(in.read_integer(of));
      });
    }
  });
  std::string expected = "yes no caf\xc3\xa9[0123456789abcdef]";
  for (int i = 0; i < 15; ++i) expected += "[]";
  EXPECT_EQ(said, expected + "9=7");
}

TEST(Thrift, SkipsValuesOfEveryType) {
  const auto map = [](int id, std::initializer_list<int> content) {
    return std::pair(id, make_bytes(content));
  };
  ThriftWriter out;
  out.boolean(2, true).boolean(3, false);
  out.field(4, ThriftWriter::kByte).raw(make_bytes({9}));
  out.integer(5, 1'000'000).field(6, ThriftWriter::kDouble).raw(ByteVector(8));
  out.binary(7, "text").list(8, ThriftWriter::kTrue, 3).raw(make_bytes({1, 2, 1}));
  out.list(9, ThriftWriter::kStruct, 1).begin().integer(1, 5).end();
  out.field(10, ThriftWriter::kSet).raw(make_bytes({0x25, 2, 4}));  // two int32
  for (const auto& [id, content] :
       {map(11, {0}), map(12, {2, 0x58, 2, 1, 'a', 4, 0}), map(13, {1, 0x11, 1, 2})}) {
    out.field(id, ThriftWriter::kMap).raw(content);
  }
  EXPECT_EQ(integer_of(out.integer(1, 77).take()), 77);
}

TEST(Thrift, RefusesWhatBreaksOff) {
  const auto bytes = ThriftWriter()
                         .integer(1, 1'000'000)
                         .binary(2, "text")
                         .list(3, ThriftWriter::kInt32, 2)
                         .element(1)
                         .element(2)
                         .begin(4)
                         .boolean(1, true)
                         .end()
                         .field(5, ThriftWriter::kMap)
                         .raw(make_bytes({1, 0x33, 1, 2}))
                         .take();
  skip_all(bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const ByteVector part(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_THROW(skip_all(part), DataError) << size;
  }
  EXPECT_EQ(data_error_of([] { skip_all({}); }),
            "f: byte 100: expected more of a Thrift value, found its end");
  EXPECT_EQ(data_error_of([] {
              skip_all(make_bytes({0x18, 5, 'a', 'b', 0}));
            }),
            "f: byte 102: expected 5 bytes, found 3");
}

TEST(Thrift, RefusesAListLongerThanItsBytes) {
  EXPECT_EQ(data_error_of([] {
              skip_all(make_bytes({0x19, 0x45, 0, 0, 0}));
            }),
            "f: byte 102: expected a list of at most 3 elements, found 4");
  EXPECT_EQ(data_error_of([] {
              skip_all(make_bytes({0x19, 0xF5, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F}));
            }),
            "f: byte 110: expected a list of at most 0 elements, found 72057594037927935");
  EXPECT_EQ(data_error_of([] {
              skip_all(make_bytes({0x1B, 0x64, 0x55, 0, 0}));
            }),
            "f: byte 103: expected a Thrift map, found something else");
}

TEST(Thrift, RefusesTypesThatThereAreNot) {
  EXPECT_EQ(data_error_of([] {
              skip_all(make_bytes({0x1D, 0, 0}));
            }),
            "f: byte 101: expected a type of Thrift's compact protocol, found 13");
  EXPECT_EQ(data_error_of([] {
              skip_all(make_bytes({0x19, 0x10, 0, 0}));
            }),
            "f: byte 102: expected a type of Thrift's compact protocol, found 0");
  EXPECT_EQ(data_error_of([] {
              skip_all(make_bytes({0x1B, 1, 0xD5, 0, 0, 0}));
            }),
            "f: byte 103: expected a Thrift map, found something else");
}

TEST(Thrift, RefusesValuesOfAnotherType) {
  const auto number = ThriftWriter().integer(1, 3).take();
  const auto error = [](const ByteVector& bytes, auto read) {
    return data_error_of([&] { read_first(bytes, read); });
  };
  EXPECT_EQ(error(number, [](ThriftReader& in, Type type) { (void)in.read_binary(type); }),
            "f: byte 101: expected a Thrift field of type 8, found type 6");
  EXPECT_EQ(error(number, [](ThriftReader& in, Type type) { (void)in.read_bool(type); }),
            "f: byte 101: expected a Thrift field of type 1, found type 6");
  EXPECT_EQ(
      error(number, [](ThriftReader& in, Type type) { in.read_list(type, [](Type /*of*/) {}); }),
      "f: byte 101: expected a Thrift field of type 9, found type 6");
  EXPECT_EQ(error(ThriftWriter().binary(1, "3").take(),
                  [](ThriftReader& in, Type type) { (void)in.read_integer(type); }),
            "f: byte 101: expected a Thrift field of type 6, found type 8");
}

TEST(Thrift, CountsWithinBoundsAlone) {
  const auto count = [](std::int64_t value, std::uint64_t most) {
    std::uint64_t read = 0;
    read_first(ThriftWriter().integer(1, value).take(),
               [&](ThriftReader& in, Type type) { read = in.read_count(type, most); });
    return read;
  };
  EXPECT_EQ(count(0, 0), 0U);
  EXPECT_EQ(count(7, 7), 7U);
  EXPECT_EQ(data_error_of([&] { (void)count(8, 7); }),
            "f: byte 102: expected a number from 0 to 7, found 8");
  EXPECT_EQ(data_error_of([&] { (void)count(-1, 7); }),
            "f: byte 102: expected a number from 0 to 7, found -1");
}

TEST(Thrift, RefusesNumbersOfMoreThan64Bits) {
  const ByteVector all_ones(10, std::byte{0xFF});
  EXPECT_EQ(data_error_of([&] {
              (void)integer_of(ThriftWriter().field(1, ThriftWriter::kInt64).raw(all_ones).take());
            }),
            "f: byte 111: expected a whole number of up to 64 bits, found more bytes");
}

TEST(Thrift, RefusesToGoDeep) {
  const auto nested = [](int levels) {
    ThriftWriter out;
    for (int i = 1; i < levels; ++i) out.begin(1);
    for (int i = 1; i < levels; ++i) out.end();
    return out.take();
  };
  skip_all(nested(32));
  EXPECT_EQ(data_error_of([&] { skip_all(nested(33)); }),
            "f: byte 132: expected at most 32 levels of Thrift, found more");
  ByteVector lists{std::byte{0x19}};  // a list of a list of …
  lists.resize(100'000, std::byte{0x19});
  EXPECT_THROW(skip_all(lists), DataError);
}

}  // namespace
}  // namespace millrace
