#include "formats/safetensors_header.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/files.h"

namespace millrace {
namespace {

using test::data_error_of;

const std::filesystem::path kFile = "m.safetensors";

SafetensorsHeader parse(const std::string& text, std::uint64_t data_bytes) {
  return parse_safetensors_header(kFile, text, data_bytes);
}

std::string error_of(const std::string& text, std::uint64_t data_bytes = 0) {
  const auto message = data_error_of([&] { parse(text, data_bytes); });
  const std::string prefix = "m.safetensors: byte ";
  EXPECT_TRUE(message.starts_with(prefix)) << message;
  return message.substr(std::min(prefix.size(), message.size()));
}

/// An entry of `bytes` bytes of U8 at `begin`.
std::string entry(const std::string& name, std::uint64_t begin, std::uint64_t bytes) {
  return "\"" + name + R"(":{"dtype":"U8","shape":[)" + std::to_string(bytes) +
         R"(],"data_offsets":[)" + std::to_string(begin) + "," + std::to_string(begin + bytes) +
         "]}";
}

TEST(SafetensorsHeader, ReadsTensorsInTheOrderOfTheirData) {
  const auto header = parse(
      R"({"b":{"dtype":"F32","shape":[2,3],"data_offsets":[2,26]},"a":{"dtype":"I8","shape":[2],"data_offsets":[0,2]},)"
      R"("__metadata__":{"format":"pt","x":""}}    )",
      26);
  ASSERT_EQ(header.tensors.size(), 2U);
  EXPECT_EQ(header.tensors[0].name, "a");
  EXPECT_EQ(header.tensors[0].dtype, DType::kInt8);
  EXPECT_EQ(header.tensors[1].name, "b");
  EXPECT_EQ(header.tensors[1].shape, (std::vector<std::uint64_t>{2, 3}));
  EXPECT_EQ(header.tensors[1].begin, 2U);
  EXPECT_EQ(header.tensors[1].end, 26U);
  EXPECT_EQ(header.metadata, (TensorMetadata{{"format", "pt"}, {"x", ""}}));
}

TEST(SafetensorsHeader, TakesScalarsAndEmptyTensors) {
  const auto header =
      parse(R"({"s":{"dtype":"F64","shape":[],"data_offsets":[0,8]},)"
            R"("e":{"dtype":"F32","shape":[3,0,18446744073709551615],"data_offsets":[8,8]}})",
            8);
  EXPECT_EQ(header.tensors.size(), 2U);
  EXPECT_TRUE(parse("{}", 0).tensors.empty());
  EXPECT_TRUE(parse(R"({"__metadata__":{}})", 0).metadata.empty());
}

TEST(SafetensorsHeader, IgnoresFieldsOfLaterVersions) {
  EXPECT_EQ(parse(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"new":{"x":[1]}}})", 1)
                .tensors.size(),
            1U);
}

TEST(SafetensorsHeader, KnowsEveryTypeByItsName) {
  for (const auto* name : {"BOOL", "U8", "I8", "I16", "U16", "F16", "BF16", "I32", "U32", "F32",
                           "F64", "I64", "U64"}) {
    const auto dtype = safetensors_dtype(name);
    ASSERT_TRUE(dtype) << name;
    EXPECT_EQ(safetensors_name_of(*dtype), name);
  }
  EXPECT_FALSE(safetensors_dtype("F8_E4M3"));
  EXPECT_FALSE(safetensors_dtype("f32"));
  EXPECT_FALSE(safetensors_dtype(""));
}

TEST(SafetensorsHeader, NamesAHeaderThatIsNoObject) {
  EXPECT_EQ(error_of(""),
            "8: expected a safetensors header, which begins with {, found an empty one");
  EXPECT_EQ(error_of("[]"), R"(8: expected a safetensors header, which begins with {, found "[")");
  EXPECT_EQ(error_of(" {}"), R"(8: expected a safetensors header, which begins with {, found " ")");
  EXPECT_EQ(error_of("\xff"),
            "8: expected a safetensors header, which begins with {, found \"\xef\xbf\xbd\"");
}

TEST(SafetensorsHeader, NamesASyntaxError) {
  EXPECT_EQ(error_of(R"({"a":})"),
            "13: expected a JSON header, found syntax error while parsing value - unexpected '}'; "
            "expected '[', '{', or "
            "a literal");
  EXPECT_TRUE(error_of("{").starts_with("9: expected a JSON header, found syntax error"))
      << error_of("{");
  EXPECT_TRUE(error_of("{} x").starts_with("11: expected a JSON header, found syntax error"));
  EXPECT_EQ(error_of("{\"\xff\":1}"),
            "10: expected a JSON header, found syntax error while parsing object key - invalid "
            "string: ill-formed UTF-8 "
            "byte");
  EXPECT_EQ(error_of(std::string("{}\0", 3)), "10: expected a JSON header, found a NUL byte");
}

TEST(SafetensorsHeader, NamesANameThatIsThereTwice) {
  EXPECT_EQ(error_of("{" + entry("a", 0, 1) + "," + entry("a", 1, 1) + "}", 2),
            R"(8: expected each name once, found "a" twice)");
  EXPECT_EQ(error_of(R"({"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}})", 1),
            R"(8: expected each name once, found "dtype" twice)");
  EXPECT_EQ(error_of(R"({"__metadata__":{"k":"1","k":"2"}})"),
            R"(8: expected each name once, found "k" twice)");
}

TEST(SafetensorsHeader, RefusesNestingWithoutEnd) {
  const std::string deep = R"({"a":)" + std::string(100'000, '[');
  EXPECT_EQ(error_of(deep), "8: expected a JSON header, found JSON nested too deeply");
}

TEST(SafetensorsHeader, NamesMetadataThatIsNotStrings) {
  EXPECT_EQ(error_of(R"({"__metadata__":[]})"),
            "8: expected __metadata__ to map strings to strings, found array");
  EXPECT_EQ(error_of(R"({"__metadata__":{"k":1}})"),
            R"(8: expected __metadata__ to map strings to strings, found number for "k")");
}

TEST(SafetensorsHeader, NamesWhatATensorLacks) {
  EXPECT_EQ(error_of(R"({"a":1})"), R"(8: expected for tensor "a": an object, found number)");
  EXPECT_EQ(error_of(R"({"a":{}})"), R"(8: expected for tensor "a": "dtype", found none)");
  EXPECT_EQ(error_of(R"({"a":{"dtype":1}})"),
            R"(8: expected for tensor "a": a string as dtype, found number)");
  EXPECT_EQ(error_of(R"({"a":{"dtype":"F8_E5M2"}})"),
            R"(8: expected for tensor "a": a dtype that Millrace reads, found "F8_E5M2")");
  EXPECT_EQ(error_of(R"({"a":{"dtype":"U8"}})"),
            R"(8: expected for tensor "a": "shape", found none)");
  EXPECT_EQ(error_of(R"({"a":{"dtype":"U8","shape":3}})"),
            R"(8: expected for tensor "a": a list as shape, found number)");
  EXPECT_EQ(error_of(R"({"a":{"dtype":"U8","shape":[3]}})"),
            R"(8: expected for tensor "a": "data_offsets", found none)");
  EXPECT_EQ(error_of(R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0]}})"),
            R"(8: expected for tensor "a": two data_offsets, found 1)");
}

TEST(SafetensorsHeader, TakesWholeNumbersOnly) {
  for (const auto* bad : {"-1", "1.0", "\"1\"", "null", "1e3", "18446744073709551616", "true"}) {
    const auto message = error_of(
        std::string(R"({"a":{"dtype":"U8","shape":[)") + bad + R"(],"data_offsets":[0,1]}})", 1);
    EXPECT_TRUE(
        message.starts_with(R"(8: expected for tensor "a": whole numbers in shape, found )"))
        << message;
  }
  EXPECT_TRUE(error_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1e999]}})")
                  .starts_with("8: expected a JSON header"));
}

TEST(SafetensorsHeader, NamesShapesThatOverflow) {
  EXPECT_EQ(
      error_of(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})"),
      R"(8: expected for tensor "a": a shape that fits in 64 bits, found [4294967296, 4294967296] float32)");
  // 2^64 bytes: a product of 64 bits would be 0, as the offsets say.
  EXPECT_EQ(
      error_of(R"({"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}})"),
      R"(8: expected for tensor "a": a shape that fits in 64 bits, found [2305843009213693952] float64)");
}

TEST(SafetensorsHeader, NamesOffsetsThatDenyTheShape) {
  EXPECT_EQ(
      error_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4),
      R"(8: expected for tensor "a": data_offsets that are 8 bytes apart, for [2] float32, found [0, 4])");
  EXPECT_EQ(
      error_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[2,1]}})", 4),
      R"(8: expected for tensor "a": data_offsets that are 1 bytes apart, for [1] uint8, found [2, 1])");
}

TEST(SafetensorsHeader, NamesTensorsOutsideTheFile) {
  const auto text = "{" + entry("a", 0, 10) + "}";
  EXPECT_EQ(
      error_of(text, 9),
      std::to_string(8 + text.size() + 9) +
          R"(: expected 10 bytes of data, up to the end of tensor "a", found the end of the file after 9)");
}

TEST(SafetensorsHeader, NamesGapsAndOverlaps) {
  auto text = "{" + entry("a", 0, 4) + "," + entry("b", 3, 4) + "}";
  EXPECT_EQ(
      error_of(text, 7),
      std::to_string(8 + text.size() + 3) +
          R"(: expected tensor "b" to begin at 4 in the data, where the one before it ends, found it at 3)");
  text = "{" + entry("a", 0, 4) + "," + entry("b", 5, 4) + "}";
  EXPECT_EQ(
      error_of(text, 9),
      std::to_string(8 + text.size() + 4) +
          R"(: expected tensor "b" to begin at 4 in the data, where the one before it ends, found it at 5)");
  text = "{" + entry("a", 1, 4) + "}";
  EXPECT_EQ(
      error_of(text, 5),
      std::to_string(8 + text.size()) +
          R"(: expected tensor "a" to begin at 0 in the data, where the one before it ends, found it at 1)");
}

TEST(SafetensorsHeader, NamesTrailingBytes) {
  const auto text = "{" + entry("a", 0, 4) + "}";
  EXPECT_EQ(error_of(text, 7),
            std::to_string(8 + text.size() + 4) +
                ": expected the end of the file after the last tensor, found 3 bytes more");
  EXPECT_EQ(error_of("{}", 1),
            "10: expected the end of the file after the last tensor, found 1 bytes more");
}

TEST(SafetensorsHeader, QuotesHostileNames) {
  // A message is one line, whatever the file calls its tensors; data_error_of checks that.
  EXPECT_EQ(error_of(R"({"a\n\u0000b":1})"),
            R"(8: expected for tensor "a\n\u0000b": an object, found number)");
}

TEST(SafetensorsHeader, KeepsMessagesShort) {
  const std::string huge(1'000'000, 'x');
  // @ stands for a megabyte of text.
  for (const std::string form :
       {R"({"@":1})", R"({"a":{"dtype":"@"}})", R"({"@)", R"({"a":{"dtype":"U8","shape":["@"]}})",
        R"({"a":{"dtype":"U8","shape":[["@"]]}})", R"({"__metadata__":{"@":1}})",
        R"({"@":1,"@":1})"}) {
    std::string text;
    for (const char c : form) {
      if (c == '@') {
        text += huge;
      } else {
        text += c;
      }
    }
    EXPECT_LT(error_of(text).size(), 400U) << form;
  }
}

TEST(SafetensorsHeader, NamesARankThatNobodyHas) {
  std::string ones = "1";
  for (int i = 0; i < 64; ++i) ones += ",1";
  EXPECT_EQ(error_of(R"({"a":{"dtype":"U8","shape":[)" + ones + R"(],"data_offsets":[0,1]}})", 1),
            R"(8: expected for tensor "a": at most 64 dimensions, found 65)");
}

TEST(TensorBytes, MultipliesWithoutOverflow) {
  using Shape = std::vector<std::uint64_t>;
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(tensor_bytes(DType::kFloat32, Shape{2, 3}), 24U);
  EXPECT_EQ(tensor_bytes(DType::kFloat32, Shape{}), 4U);
  EXPECT_EQ(tensor_bytes(DType::kFloat32, Shape{kMost, kMost, 0}), 0U);
  EXPECT_EQ(tensor_bytes(DType::kUInt8, Shape{kMost}), kMost);
  EXPECT_EQ(tensor_bytes(DType::kUInt8, Shape{kMost, 2}), std::nullopt);
  EXPECT_EQ(tensor_bytes(DType::kInt16, Shape{kMost}), std::nullopt);
}

TEST(IntegrityHash, IsOfTheContentAndNotOfItsOrder) {
  const std::vector<float> one{1, 2};
  const std::vector<float> two{3, 4};
  const TensorView a{
      .name = "a", .dtype = DType::kFloat32, .shape = {2}, .data = test::bytes_of(one)};
  const TensorView b{
      .name = "b", .dtype = DType::kFloat32, .shape = {2}, .data = test::bytes_of(two)};
  const auto hash = integrity_hash(std::vector{a, b}, {{"k", "v"}});
  EXPECT_EQ(integrity_hash(std::vector{b, a}, {{"k", "v"}}), hash);
  EXPECT_EQ(integrity_hash(std::vector{a, b}, {{"k", "v"}, {std::string(kIntegrityKey), hash}}),
            hash);
  EXPECT_NE(integrity_hash(std::vector{a, b}, {{"k", "w"}}), hash);
  EXPECT_NE(integrity_hash(std::vector{a, b}, {{"kv", ""}}), hash);
  EXPECT_NE(integrity_hash(std::vector{a}, {{"k", "v"}}), hash);
  auto changed = b;
  changed.shape = {2, 1};
  EXPECT_NE(integrity_hash(std::vector{a, changed}, {{"k", "v"}}), hash);
  changed = b;
  changed.dtype = DType::kInt32;
  EXPECT_NE(integrity_hash(std::vector{a, changed}, {{"k", "v"}}), hash);
  changed = b;
  changed.name = "c";
  EXPECT_NE(integrity_hash(std::vector{a, changed}, {{"k", "v"}}), hash);
  changed = b;
  changed.data = test::bytes_of(one);
  EXPECT_NE(integrity_hash(std::vector{a, changed}, {{"k", "v"}}), hash);
}

}  // namespace
}  // namespace millrace
