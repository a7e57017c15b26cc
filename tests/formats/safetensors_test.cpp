#include "formats/safetensors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/limits.h"

namespace millrace {
namespace {

using test::ByteVector;
using test::data_error_of;
using test::joined;
using test::make_bytes;
using test::TempFolder;
using test::write_bytes;

/// A file of the given header text and data.
ByteVector file_of(const std::string& text, const ByteVector& data) {
  ByteVector length;
  for (int i = 0; i < 8; ++i)
    length.push_back(static_cast<std::byte>(std::uint64_t{text.size()} >> (8 * i)));
  return joined({length, make_bytes(text), data});
}

class SafetensorsTest : public testing::Test {
 protected:
  std::string error_of(const ByteVector& bytes) const {
    write_bytes(path_, bytes);
    return data_error_of([&] { SafetensorsFile{path_}; });
  }
  std::string named(const std::string& message) const { return path_.string() + ": " + message; }

  TempFolder folder_;
  std::filesystem::path path_ = folder_ / "m.safetensors";
};

TEST_F(SafetensorsTest, WhatIsWrittenIsRead) {
  const std::vector<float> weight{1, 2, 3, 4, 5, 6};
  const std::vector<std::uint64_t> step{42};
  const std::vector<TensorView> tensors{
      {.name = "0.weight",
       .dtype = DType::kFloat32,
       .shape = {2, 3},
       .data = test::bytes_of(weight)},
      {.name = "step", .dtype = DType::kUInt64, .shape = {}, .data = test::bytes_of(step)},
      {.name = "empty", .dtype = DType::kFloat32, .shape = {0, 5}, .data = {}},
      {.name = "odd \"name\"\n\xc3\xa9",
       .dtype = DType::kUInt8,
       .shape = {3},
       .data = std::as_bytes(std::span("abc", 3))}};
  const TensorMetadata metadata{
      {"format", "pt"}, {"text", "line\n\"quoted\" \xe2\x80\xa6"}, {"", ""}};
  write_safetensors(path_, tensors, metadata);

  const SafetensorsFile file(path_);
  EXPECT_EQ(file.path(), path_);
  EXPECT_TRUE(file.verified());
  EXPECT_EQ(file.metadata(), metadata);
  ASSERT_EQ(file.tensors().size(), tensors.size());
  for (const auto& expected : tensors) {
    const auto& found = file.require(expected.name, expected.dtype, expected.shape);
    EXPECT_TRUE(std::ranges::equal(found.data, expected.data)) << expected.name;
  }
  EXPECT_EQ(file.find("0.weight")->values<float>(), weight);
  EXPECT_EQ(file.find("step")->values<std::uint64_t>(), step);
  EXPECT_TRUE(file.find("empty")->values<float>().empty());
  EXPECT_EQ(file.find("1.weight"), nullptr);
  EXPECT_EQ(folder_.names(), std::vector<std::string>{"m.safetensors"});
}

TEST_F(SafetensorsTest, AnEmptyFileOfTensorsIsFine) {
  write_safetensors(path_, {});
  const SafetensorsFile file(path_);
  EXPECT_TRUE(file.tensors().empty());
  EXPECT_TRUE(file.metadata().empty());
  EXPECT_TRUE(file.verified());
}

TEST_F(SafetensorsTest, AnyMixOfTypesAndShapesComesBackAlignedForItsType) {
  constexpr DType kTypes[] = {DType::kUInt8,   DType::kInt8,    DType::kInt16,    DType::kInt32,
                              DType::kInt64,   DType::kFloat16, DType::kBFloat16, DType::kFloat32,
                              DType::kFloat64, DType::kBool,    DType::kUInt16,   DType::kUInt32,
                              DType::kUInt64};
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    std::vector<ByteVector> storage(random() % 20);
    std::vector<TensorView> tensors;
    for (std::size_t i = 0; i < storage.size(); ++i) {
      TensorView tensor{.name = std::to_string(random()) + "." + std::to_string(i),
                        .dtype = kTypes[random() % std::size(kTypes)],
                        .shape = {},
                        .data = {}};
      std::size_t bytes = size_of(tensor.dtype);
      for (auto rank = random() % 4; rank > 0; --rank) {
        tensor.shape.push_back(random() % 6);
        bytes *= tensor.shape.back();
      }
      storage[i].resize(bytes);
      for (auto& byte : storage[i]) byte = static_cast<std::byte>(random());
      tensor.data = storage[i];
      tensors.push_back(std::move(tensor));
    }
    write_safetensors(path_, tensors, {{"seed", std::to_string(seed)}});
    const SafetensorsFile file(path_);
    ASSERT_EQ(file.tensors().size(), tensors.size());
    for (const auto& expected : tensors) {
      const auto& found = file.require(expected.name, expected.dtype, expected.shape);
      EXPECT_TRUE(std::ranges::equal(found.data, expected.data)) << seed;
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(found.data.data()) % size_of(expected.dtype), 0U)
          << seed;
    }
  }
}

TEST_F(SafetensorsTest, TheHeaderIsPaddedWithSpacesToEightBytes) {
  for (std::size_t length = 0; length < 20; ++length) {
    write_safetensors(path_, {}, {{"k", std::string(length, 'x')}});
    const auto bytes = test::read_bytes(path_);
    std::uint64_t header = 0;
    std::memcpy(&header, bytes.data(), sizeof(header));
    EXPECT_EQ(header % 8, 0U);
    EXPECT_EQ(header + 8, bytes.size());
    EXPECT_EQ(bytes[8], std::byte{'{'});
    EXPECT_TRUE(bytes.back() == std::byte{' '} || bytes.back() == std::byte{'}'});
  }
}

TEST_F(SafetensorsTest, EqualContentGivesEqualFiles) {
  const std::vector<float> weight{1, 2};
  const std::vector<TensorView> tensors{
      {.name = "w", .dtype = DType::kFloat32, .shape = {2}, .data = test::bytes_of(weight)}};
  write_safetensors(path_, tensors, {{"a", "b"}});
  const auto first = test::read_bytes(path_);
  write_safetensors(path_, tensors, {{"a", "b"}});
  EXPECT_EQ(test::read_bytes(path_), first);
}

TEST_F(SafetensorsTest, AFileWithoutAHashIsReadUnverified) {
  write_bytes(
      path_, file_of(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", make_bytes("hi")));
  const SafetensorsFile file(path_);
  EXPECT_FALSE(file.verified());
  EXPECT_TRUE(std::ranges::equal(file.find("a")->data, make_bytes("hi")));
}

TEST_F(SafetensorsTest, ReadsDataThatIsNotAligned) {
  write_bytes(path_, file_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}} )",
                             make_bytes({0, 0, 0x80, 0x3f})));
  EXPECT_EQ(SafetensorsFile(path_).find("a")->values<float>(), std::vector<float>{1.0F});
}

TEST_F(SafetensorsTest, MoveHandsOver) {
  write_bytes(
      path_, file_of(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", make_bytes("hi")));
  SafetensorsFile first(path_);
  const SafetensorsFile second(std::move(first));
  EXPECT_TRUE(std::ranges::equal(second.find("a")->data, make_bytes("hi")));
}

TEST_F(SafetensorsTest, RequireSaysWhatDiffers) {
  write_bytes(
      path_, file_of(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", make_bytes("hi")));
  const SafetensorsFile file(path_);
  const auto error = [&](const char* name, DType dtype, std::vector<std::uint64_t> shape) {
    return data_error_of([&] { (void)file.require(name, dtype, shape); });
  };
  EXPECT_EQ(error("b", DType::kUInt8, {2}),
            named(R"(expected tensor "b" of [2] uint8, found none of that name)"));
  EXPECT_EQ(error("a", DType::kUInt8, {1, 2}),
            named(R"(expected tensor "a" of [1, 2] uint8, found [2] uint8)"));
  EXPECT_EQ(error("a", DType::kInt8, {2}),
            named(R"(expected tensor "a" of [2] int8, found [2] uint8)"));
}

TEST_F(SafetensorsTest, NamesAFileThatIsNone) {
  EXPECT_EQ(error_of({}), named("byte 0: expected a safetensors file: 8 bytes of header length, "
                                "found the end of the file"));
  EXPECT_EQ(error_of(make_bytes("1234567")), named("byte 7: expected a safetensors file: 8 bytes "
                                                   "of header length, found the end of the file"));
  EXPECT_EQ(
      error_of(ByteVector(8)),
      named("byte 8: expected a safetensors header, which begins with {, found an empty one"));
}

TEST_F(SafetensorsTest, RefusesALyingHeaderLengthBeforeItCostsAnything) {
  auto bytes = file_of("{}", {});
  bytes[0] = std::byte{3};
  EXPECT_EQ(error_of(bytes),
            named("byte 0: expected a safetensors header length of at most 2, found 3"));
  for (int i = 0; i < 8; ++i) bytes[i] = std::byte{0xff};
  EXPECT_EQ(
      error_of(bytes),
      named(
          "byte 0: expected a safetensors header length of at most 2, found 18446744073709551615"));
}

TEST_F(SafetensorsTest, RefusesAHeaderBeyondTheFormatsLimit) {
  write_bytes(path_, file_of("{}", {}));
  std::filesystem::resize_file(path_, 100'000'100);  // a hole, no disk space
  const auto length = std::uint64_t{100'000'001};
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  file.write(reinterpret_cast<const char*>(&length), sizeof(length));
  file.close();
  EXPECT_EQ(
      data_error_of([&] { SafetensorsFile{path_}; }),
      named("byte 0: expected a safetensors header length of at most 100000000, found 100000001"));
}

TEST_F(SafetensorsTest, EveryTruncationIsAnError) {
  const std::vector<float> weight{1, 2, 3, 4};
  write_safetensors(
      path_,
      std::vector<TensorView>{
          {.name = "w", .dtype = DType::kFloat32, .shape = {4}, .data = test::bytes_of(weight)}},
      {{"k", "v"}});
  const auto whole = test::read_bytes(path_);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(error_of({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}), "")
        << size;
  }
}

TEST_F(SafetensorsTest, EveryDamagedByteIsAnErrorOrChangesNothing) {
  const std::vector<float> weight{1, 2, 3, 4};
  write_safetensors(
      path_,
      std::vector<TensorView>{
          {.name = "w", .dtype = DType::kFloat32, .shape = {4}, .data = test::bytes_of(weight)}},
      {{"k", "v"}});
  const auto whole = test::read_bytes(path_);
  std::size_t unnoticed = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      auto damaged = whole;
      damaged[at] ^= static_cast<std::byte>(1 << bit);
      write_bytes(path_, damaged);
      try {
        const SafetensorsFile file(path_);
        ++unnoticed;
        // The hash's own name may become another: a file without a hash, with one string more to
        // show.
        EXPECT_EQ(file.verified(), file.metadata().size() == 1) << at << ' ' << bit;
        EXPECT_EQ(file.find("w")->values<float>(), weight) << at << ' ' << bit;
      } catch (const DataError& error) {
        EXPECT_TRUE(std::string(error.what()).starts_with(path_.string() + ": ")) << error.what();
      }
    }
  }
  // Bits of "millrace.xxh3", and of the padding.
  EXPECT_LT(unnoticed, 8U * 24U);
}

TEST_F(SafetensorsTest, NamesAHashThatDoesNotFit) {
  const std::vector<float> weight{1, 2};
  write_safetensors(
      path_,
      std::vector<TensorView>{
          {.name = "w", .dtype = DType::kFloat32, .shape = {2}, .data = test::bytes_of(weight)}});
  auto bytes = test::read_bytes(path_);
  bytes.back() ^= std::byte{1};
  const auto message = error_of(bytes);
  EXPECT_TRUE(message.starts_with(named("expected content of hash "))) << message;
  EXPECT_NE(message.find(" (millrace.xxh3 in its header), found content of hash "),
            std::string::npos)
      << message;
  EXPECT_TRUE(message.ends_with(": the file was damaged or changed")) << message;
}

TEST_F(SafetensorsTest, TheWriterRefusesWhatTheFormatCannotHold) {
  const std::vector<float> weight{1, 2};
  const TensorView good{
      .name = "w", .dtype = DType::kFloat32, .shape = {2}, .data = test::bytes_of(weight)};
  const auto write = [&](std::vector<TensorView> tensors, const TensorMetadata& metadata = {}) {
    write_safetensors(path_, tensors, metadata);
  };
  EXPECT_THROW(write({good, good}), std::invalid_argument) << "a name twice";
  auto bad = good;
  bad.name = "__metadata__";
  EXPECT_THROW(write({bad}), std::invalid_argument);
  bad = good;
  bad.shape = {3};
  EXPECT_THROW(write({bad}), std::invalid_argument) << "data of another size";
  bad.shape = {~std::uint64_t{0}, 2};
  EXPECT_THROW(write({bad}), std::invalid_argument) << "a shape that overflows";
  bad = good;
  bad.name = "\xff";
  EXPECT_THROW(write({bad}), std::invalid_argument) << "no UTF-8";
  EXPECT_THROW(write({good}, {{"k", "\xff"}}), std::invalid_argument);
  EXPECT_THROW(write({good}, {{std::string(kIntegrityKey), "0"}}), std::invalid_argument);
  EXPECT_TRUE(folder_.names().empty());
}

TEST_F(SafetensorsTest, AFullDiskLeavesTheOlderFile) {
  const std::vector<float> weight(100'000, 1.0F);
  const std::vector<TensorView> tensors{
      {.name = "w", .dtype = DType::kFloat32, .shape = {100'000}, .data = test::bytes_of(weight)}};
  write_safetensors(path_, tensors);
  const auto old = test::read_bytes(path_);
  {
    const test::FileSizeLimit limit(200'000);
    const auto message = data_error_of([&] {
      write_safetensors(path_, tensors, {{"new", "yes"}});
    });
    EXPECT_TRUE(message.starts_with(named("cannot write "))) << message;
    EXPECT_TRUE(message.ends_with(" bytes to its temporary file: File too large")) << message;
  }
  EXPECT_EQ(folder_.names(), std::vector<std::string>{"m.safetensors"});
  EXPECT_TRUE(test::read_bytes(path_) == old);
  EXPECT_TRUE(SafetensorsFile(path_).metadata().empty());
}

TEST_F(SafetensorsTest, NamesAFolderThatIsMissing) {
  EXPECT_TRUE(data_error_of([&] {
                write_safetensors(folder_ / "b" / "m", {});
              }).ends_with("No such file or directory"));
  EXPECT_EQ(data_error_of([] { SafetensorsFile{"/nowhere/m"}; }),
            "/nowhere/m: cannot open: No such file or directory");
}

}  // namespace
}  // namespace millrace
