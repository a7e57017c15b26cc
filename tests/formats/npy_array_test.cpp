#include "formats/npy_array.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "tests/support/npy_files.h"

namespace millrace {
namespace {

using test::bytes_of;
using test::ByteVector;
using test::data_error_of;
using test::npy_of;

class NpyArrayTest : public testing::Test {
 protected:
  std::filesystem::path write(const ByteVector& bytes, const std::string& name = "a.npy") const {
    return test::write_bytes(folder_ / name, bytes);
  }

  test::TempFolder folder_;
};

ByteVector data_of(const Array& array) { return {array.data.begin(), array.data.end()}; }

template <typename T>
std::vector<T> counted(std::size_t count) {
  std::vector<T> values(count);
  std::iota(values.begin(), values.end(), T{1});
  return values;
}

// Every byte of every element in the other order.
ByteVector reversed(std::span<const std::byte> elements, std::size_t width) {
  ByteVector swapped(elements.begin(), elements.end());
  for (auto at = swapped.begin(); at != swapped.end(); at += static_cast<std::ptrdiff_t>(width)) {
    std::reverse(at, at + static_cast<std::ptrdiff_t>(width));
  }
  return swapped;
}

TEST_F(NpyArrayTest, IsMappedWhereItCanBe) {
  const auto values = counted<float>(6);
  const auto path = write(npy_of({.dtype = DType::kFloat32, .shape = {3, 2}}, bytes_of(values)));
  const auto array = read_npy(path);
  EXPECT_EQ(array.name, path.string());
  EXPECT_EQ(array.describe(), "3x2 float32");
  EXPECT_EQ(data_of(array), data_of({.data = bytes_of(values)}));
  EXPECT_TRUE(std::static_pointer_cast<const Bytes>(array.owner)->mapped());
}

TEST_F(NpyArrayTest, ReadsBothByteOrdersOfEveryWidthFromEveryPlace) {
  const auto check = [this](DType dtype, std::span<const std::byte> elements) {
    const auto count = elements.size() / size_of(dtype);
    for (const bool big : {false, true}) {
      const NpyHeader header{
          .dtype = dtype, .big_endian = big && size_of(dtype) > 1, .shape = {count}};
      const auto stored = header.big_endian ? reversed(elements, size_of(dtype))
                                            : ByteVector(elements.begin(), elements.end());
      const auto file = npy_of(header, stored);
      for (const auto& array :
           {read_npy(write(file)), read_npy(write(test::gzip_member(file), "a.npy.gz")),
            read_npy(write(test::zstd_frame(file), "a.npy.zst")), read_npy("memory", file)}) {
        EXPECT_TRUE(std::ranges::equal(array.data, elements)) << name_of(dtype) << ' ' << big;
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(array.data.data()) % size_of(dtype), 0U);
      }
    }
  };
  check(DType::kBool, bytes_of(std::vector<std::uint8_t>{0, 1, 1}));
  check(DType::kUInt16, bytes_of(counted<std::uint16_t>(300)));
  check(DType::kInt32, bytes_of(counted<std::int32_t>(300)));
  check(DType::kFloat64, bytes_of(counted<double>(300)));
}

TEST_F(NpyArrayTest, CopiesWhatIsNotAligned) {
  const auto values = counted<double>(4);
  auto file = npy_of({.dtype = DType::kFloat64, .shape = {4}}, bytes_of(values));
  // One blank less in the header: elements at byte 127.
  file[8] = std::byte{127 - 10};
  file.erase(file.begin() + 100);
  const auto array = read_npy(write(file));
  EXPECT_TRUE(std::ranges::equal(array.data, bytes_of(values)));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(array.data.data()) % 8, 0U);
}

template <typename T>
void check_fortran(const std::filesystem::path& path, DType dtype, bool big) {
  const std::vector<std::uint64_t> shape{130, 3, 4};
  std::vector<T> in_c(130 * 3 * 4);
  std::vector<T> in_fortran(in_c.size());
  for (std::size_t i = 0; i < 130; ++i) {
    for (std::size_t j = 0; j < 3; ++j) {
      for (std::size_t k = 0; k < 4; ++k) {
        const auto value = static_cast<T>(i * 12 + j * 4 + k);
        in_c[(i * 3 + j) * 4 + k] = value;
        in_fortran[i + 130 * (j + 3 * k)] = value;
      }
    }
  }
  const auto elements = bytes_of(in_fortran);
  const auto stored =
      big ? reversed(elements, sizeof(T)) : ByteVector(elements.begin(), elements.end());
  test::write_bytes(
      path,
      npy_of({.dtype = dtype, .big_endian = big, .fortran_order = true, .shape = shape}, stored));
  const auto array = read_npy(path);
  EXPECT_EQ(array.dims, shape);
  EXPECT_TRUE(std::ranges::equal(array.data, bytes_of(in_c))) << name_of(dtype) << ' ' << big;
}

TEST_F(NpyArrayTest, PutsFortranOrderIntoCOrder) {
  const auto path = folder_ / "a.npy";
  check_fortran<std::uint8_t>(path, DType::kUInt8, false);
  for (const bool big : {false, true}) {
    check_fortran<std::int16_t>(path, DType::kInt16, big);
    check_fortran<float>(path, DType::kFloat32, big);
    check_fortran<std::int64_t>(path, DType::kInt64, big);
  }
  const auto values = counted<float>(5);
  const auto array = read_npy(write(
      npy_of({.dtype = DType::kFloat32, .fortran_order = true, .shape = {5}}, bytes_of(values))));
  EXPECT_TRUE(std::ranges::equal(array.data, bytes_of(values)));
  EXPECT_TRUE(read_npy(write(npy_of({.fortran_order = true, .shape = {0, 4}}, {}))).data.empty());
}

TEST_F(NpyArrayTest, NamesWhereItIsCutAndWhatIsBehind) {
  const auto file = test::npy_images(5);
  const auto cut = write({file.begin(), file.end() - 1});
  EXPECT_EQ(data_error_of([&] { (void)read_npy(cut); }),
            cut.string() +
                ": byte 157: expected 158 bytes (an npy file of 5x2x3 uint8), found the "
                "end of the content");
  const auto longer = write(test::joined({file, test::make_bytes("x")}));
  EXPECT_EQ(data_error_of([&] { (void)read_npy(longer); }),
            longer.string() +
                ": byte 158: expected the end of an npy file of 5x2x3 uint8, found 1 bytes more");
  EXPECT_EQ(data_error_of([&] { (void)read_npy("memory", std::span(file).first(157)); }),
            "memory: byte 157: expected 158 bytes (an npy file of 5x2x3 uint8), found 157");
}

TEST_F(NpyArrayTest, TakesNoMemoryForWhatTheFileCannotHold) {
  const auto path =
      write(encode_npy_header({.dtype = DType::kFloat64, .shape = {std::uint64_t{1} << 59U}}));
  EXPECT_NE(data_error_of([&] { (void)read_npy(path); }).find("found the end of the content"),
            std::string::npos);
  const auto packed = write(test::gzip_member(encode_npy_header(
                                {.dtype = DType::kFloat64, .shape = {std::uint64_t{1} << 59U}})),
                            "a.npy.gz");
  EXPECT_NE(data_error_of([&] { (void)read_npy(packed); }).find("which can hold at most"),
            std::string::npos);
}

TEST_F(NpyArrayTest, ReadsMembersOfAnArchive) {
  const auto values = counted<std::int64_t>(50'000);
  const auto file = npy_of({.dtype = DType::kInt64, .shape = {50'000}}, bytes_of(values));
  for (const bool deflated : {false, true}) {
    const ZipFile archive(write(test::zip_of({{"y.npy", file, deflated, false}}), "a.npz"));
    const auto array = read_npy(archive, archive.members()[0]);
    EXPECT_EQ(array.name, archive.path().string() + "/y.npy");
    EXPECT_TRUE(std::ranges::equal(array.data, bytes_of(values)));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(array.data.data()) % 8, 0U);
  }
}

TEST_F(NpyArrayTest, RefusesAMemberThatIsLargerThanItsHeaderSays) {
  // 200 MB of zeros behind a header of three bytes of data: found without decoding them.
  const auto bomb = test::joined({npy_of({.shape = {3}}, {}), ByteVector(200'000'000)});
  const ZipFile archive(write(test::zip_of({{"y.npy", bomb, true, false}}), "a.npz"));
  EXPECT_EQ(data_error_of([&] { (void)read_npy(archive, archive.members()[0]); }),
            archive.path().string() +
                "/y.npy: byte 131: expected 131 bytes (an npy file of 3 uint8), found 200000128");
}

}  // namespace
}  // namespace millrace
