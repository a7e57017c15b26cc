#include "formats/npy.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "tests/support/files.h"

namespace millrace {
namespace {

using test::ByteVector;
using test::data_error_of;
using test::make_bytes;

// What np.save writes for np.zeros((2, 3), np.float32).
const std::string kSaved = [] {
  std::string text("\x93NUMPY\x01\x00\x76\x00", 10);
  text += "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  text.resize(127, ' ');
  return text + '\n';
}();

// A header of version 1.0 around a dictionary.
ByteVector with_dictionary(const std::string& dictionary) {
  std::string text("\x93NUMPY\x01\x00", 8);
  text += static_cast<char>(dictionary.size() & 0xffU);
  text += static_cast<char>(dictionary.size() >> 8U);
  return make_bytes(text + dictionary);
}

NpyHeader parsed(const std::string& dictionary) {
  return parse_npy_header("a.npy", with_dictionary(dictionary)).header;
}

std::string error_of(const std::string& dictionary) {
  return data_error_of([&] { (void)parsed(dictionary); });
}

TEST(NpyHeader, IsWhatNumpyWrites) {
  const NpyHeader header{.dtype = DType::kFloat32, .shape = {2, 3}};
  EXPECT_EQ(encode_npy_header(header), make_bytes(kSaved));
  const auto back = parse_npy_header("a.npy", make_bytes(kSaved));
  EXPECT_EQ(back.header, header);
  EXPECT_EQ(back.header_bytes, 128U);
}

TEST(NpyHeader, ComesBackForEveryTypeOrderAndRank) {
  for (const auto dtype : {DType::kBool, DType::kUInt8, DType::kInt8, DType::kUInt16, DType::kInt16,
                           DType::kUInt32, DType::kInt32, DType::kUInt64, DType::kInt64,
                           DType::kFloat16, DType::kFloat32, DType::kFloat64}) {
    for (const bool big : {false, true}) {
      for (const bool fortran : {false, true}) {
        for (const auto& shape : {std::vector<std::uint64_t>{}, {7}, {60000, 28, 28}, {0, 3}}) {
          const NpyHeader header{.dtype = dtype,
                                 .big_endian = big && size_of(dtype) > 1,
                                 .fortran_order = fortran,
                                 .shape = shape};
          const auto bytes = encode_npy_header(header);
          EXPECT_EQ(bytes.size() % 64, 0U);
          const auto back = parse_npy_header("a.npy", bytes);
          EXPECT_EQ(back.header, header) << header.describe();
          EXPECT_EQ(back.header_bytes, bytes.size());
        }
      }
    }
  }
}

TEST(NpyHeader, ReadsVersionsTwoAndThree) {
  const std::string dictionary = "{'descr': '|b1', 'fortran_order': False, 'shape': (1,), }\n";
  for (const char version : {'\2', '\3'}) {
    std::string text = "\x93NUMPY";
    text += version;
    text += std::string("\0", 1) + static_cast<char>(dictionary.size()) + std::string("\0\0\0", 3);
    const auto back = parse_npy_header("a.npy", make_bytes(text + dictionary));
    EXPECT_EQ(back.header, (NpyHeader{.dtype = DType::kBool, .shape = {1}}));
    EXPECT_EQ(back.header_bytes, 12 + dictionary.size());
  }
}

TEST(NpyHeader, ReadsOtherWaysToWriteTheDictionary) {
  const NpyHeader expected{
      .dtype = DType::kInt32, .big_endian = true, .fortran_order = true, .shape = {3, 4}};
  EXPECT_EQ(parsed("{'shape': (3L, 4L), 'fortran_order': True, 'descr': '>i4'}"), expected);
  EXPECT_EQ(parsed("{ \"descr\":\">i4\",\"fortran_order\":True,\"shape\":(3,4) , }  \n"), expected);
  EXPECT_EQ(parsed("{'descr': '=u1', 'fortran_order': False, 'shape': ()}"), NpyHeader{});
  EXPECT_FALSE(parsed("{'descr': '>u1', 'fortran_order': False, 'shape': ()}").big_endian);
}

TEST(NpyHeader, NamesTypesThatAreNoNumbers) {
  const std::string rest = ", 'fortran_order': False, 'shape': (1,)}";
  const std::string expected =
      "a.npy: byte 20: expected an element type that is a bool or a number of 1, 2, 4 or 8 bytes "
      "in the npy header, found ";
  EXPECT_EQ(error_of("{'descr': '|O'" + rest), expected + "\"|O\", Python objects");
  EXPECT_EQ(error_of("{'descr': '<U5'" + rest), expected + "\"<U5\"");
  EXPECT_EQ(error_of("{'descr': '<c8'" + rest), expected + "\"<c8\"");
  EXPECT_EQ(error_of("{'descr': '<f16'" + rest), expected + "\"<f16\"");
  EXPECT_EQ(error_of("{'descr': ''" + rest), expected + "\"\"");
  EXPECT_EQ(error_of("{'descr': [('x', '<f4')]" + rest), expected + "a structure");
}

TEST(NpyHeader, NamesABrokenDictionary) {
  EXPECT_EQ(error_of("nothing"),
            "a.npy: byte 10: expected '{' in the npy header, found \"nothing\"");
  EXPECT_EQ(error_of("{'descr': '<f4'"),
            "a.npy: byte 25: expected ',' or '}' in the npy header, found its end");
  EXPECT_EQ(error_of("{'descr"),
            "a.npy: byte 11: expected a key in the npy header, found \"'descr\"");
  EXPECT_EQ(error_of("{'descr': '<f4'}"),
            "a.npy: byte 10: expected the keys 'descr', 'fortran_order' and 'shape' in the npy "
            "header, found not all of them");
  EXPECT_EQ(error_of("{'descr': '<f4', 'descr': '<f4'}"),
            "a.npy: byte 27: expected the keys 'descr', 'fortran_order' and 'shape', each once in "
            "the npy header, found \"descr\"");
  EXPECT_EQ(error_of("{'fortran_order': 1}"),
            "a.npy: byte 28: expected True or False in the npy header, found \"1}\"");
  EXPECT_EQ(error_of("{'shape': (-1,)}"),
            "a.npy: byte 21: expected a size that fits in 64 bits in the npy header, found "
            "\"-1,)}\"");
  EXPECT_EQ(error_of("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x"),
            "a.npy: byte 66: expected the end of the header in the npy header, found \"x\"");
}

TEST(NpyHeader, RefusesSizesThatOverflow) {
  const auto of_shape = [](const std::string& shape) {
    return "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + "}";
  };
  EXPECT_EQ(error_of(of_shape("(9223372036854775808,)")),
            "a.npy: byte 10: expected an array whose size fits in 63 bits, found "
            "9223372036854775808 float32");
  EXPECT_EQ(error_of(of_shape("(4294967296, 4294967296, 4294967296)")),
            "a.npy: byte 10: expected an array whose size fits in 63 bits, found "
            "4294967296x4294967296x4294967296 float32");
  EXPECT_EQ(error_of(of_shape("(18446744073709551616,)")),
            "a.npy: byte 61: expected a size that fits in 64 bits in the npy header, found "
            "\"18446744073709551616\"");
  EXPECT_EQ(npy_data_bytes(parsed(of_shape("(0, 9223372036854775808)"))), 0U);
  const NpyHeader huge{.shape = {std::uint64_t{1} << 63U}};
  EXPECT_THROW((void)encode_npy_header(huge), std::invalid_argument);
  EXPECT_THROW((void)npy_data_bytes(huge), std::invalid_argument);
}

TEST(NpyHeader, RefusesMoreDimensionsThanNumpyHas) {
  const auto of_rank = [](int rank) {
    std::string text = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
    for (int i = 0; i < rank; ++i) text += "1,";
    return text + ")}";
  };
  EXPECT_EQ(parsed(of_rank(64)).shape.size(), 64U);
  EXPECT_NE(error_of(of_rank(65)).find("expected at most 64 sizes in the npy header, found"),
            std::string::npos);
}

TEST(NpyHeader, NamesWhereItIsCutShort) {
  EXPECT_EQ(data_error_of([] { (void)parse_npy_header("a.npy", make_bytes("PK\3\4")); }),
            "a.npy: byte 0: expected an npy file (\"\\x93NUMPY\"), found \"PK\\x03\\x04\"");
  for (std::size_t size = 0; size < kSaved.size(); ++size) {
    const auto bytes = make_bytes(kSaved.substr(0, size));
    const auto message = data_error_of([&] { (void)parse_npy_header("a.npy", bytes); });
    EXPECT_NE(message.find(size >= 6 ? "the end of the content" : "an npy file"), std::string::npos)
        << message;
  }
  EXPECT_EQ(data_error_of([] {
              (void)parse_npy_header(
                  "a.npy", make_bytes({0x93, 'N', 'U', 'M', 'P', 'Y', 2, 0, 255, 255, 255, 255}));
            }),
            "a.npy: byte 8: expected an npy header of at most 65524 bytes, found 4294967295");
  EXPECT_EQ(data_error_of([] {
              (void)parse_npy_header("a.npy", make_bytes({0x93, 'N', 'U', 'M', 'P', 'Y', 4, 0}));
            }),
            "a.npy: byte 6: expected an npy file of version 1, 2 or 3, found 4");
}

TEST(NpyHeader, RefusesToWriteWhatNumpyLacks) {
  EXPECT_THROW((void)encode_npy_header({.dtype = DType::kBFloat16}), std::invalid_argument);
  EXPECT_THROW((void)encode_npy_header({.shape = std::vector<std::uint64_t>(65, 1)}),
               std::invalid_argument);
}

}  // namespace
}  // namespace millrace
