#include "tools/cli/convert_files.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "formats/compression.h"
#include "formats/error.h"
#include "formats/folder.h"
#include "formats/idx.h"
#include "formats/image.h"
#include "formats/npy.h"
#include "formats/tar.h"
#include "tests/support/files.h"
#include "tests/support/idx_files.h"
#include "tests/support/images.h"
#include "tests/support/limits.h"
#include "tests/support/seekable.h"
#include "tools/cli/atomic_folder.h"

namespace millrace {
namespace {

using test::ByteVector;
using test::data_error_of;
using test::read_bytes;
using test::write_bytes;

const auto kGoOn = [](std::uint64_t, std::uint64_t) { return true; };
constexpr std::uint32_t kTrain = 130;
constexpr std::uint32_t kTest = 20;

std::string text_of(const std::filesystem::path& path) {
  const auto bytes = read_bytes(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class ConvertFilesTest : public testing::Test {
 protected:
  ConvertFilesTest() {
    std::filesystem::create_directory(in_);
    write_idx(in_ / "train-images-idx3-ubyte", {DType::kUInt8, {kTrain, 5, 7}}, images_);
    write_idx(in_ / "t10k-images-idx3-ubyte", {DType::kUInt8, {kTest, 5, 7}},
              test::pixels(kTest * 35, 3));
    write_bytes(in_ / "train-labels-idx1-ubyte", test::small_labels(kTrain, 12));
    write_bytes(in_ / "t10k-labels-idx1-ubyte", test::small_labels(kTest, 3));
  }
  ConvertSpec spec(StoredAs to) const {
    ConvertSpec spec;
    spec.in = in_;
    spec.out = out_;
    spec.to = to;
    return spec;
  }
  void use_floats(const std::vector<float>& values) const {
    std::filesystem::remove(in_ / "train-images-idx3-ubyte");
    std::filesystem::remove(in_ / "t10k-images-idx3-ubyte");
    std::filesystem::remove(in_ / "t10k-labels-idx1-ubyte");
    const auto count = static_cast<std::uint32_t>(values.size() / 2);
    write_idx(in_ / "train-images-idx2-float", {DType::kFloat32, {count, 2}},
              test::bytes_of(values));
    write_bytes(in_ / "train-labels-idx1-ubyte", test::small_labels(count, 2));
  }

  test::TempFolder folder_;
  std::filesystem::path in_ = folder_ / "in";
  std::filesystem::path out_ = folder_ / "out";
  ByteVector images_ = test::pixels(kTrain * 35);
};

TEST_F(ConvertFilesTest, WritesArraysOfNumPy) {
  EXPECT_EQ(convert(spec(StoredAs::kNpy), kGoOn).size(), 4U);
  const auto x = read_bytes(out_ / "x_train.npy");
  const auto parsed = parse_npy_header("x", x);
  EXPECT_EQ(parsed.header, (NpyHeader{.dtype = DType::kUInt8, .shape = {kTrain, 5, 7}}));
  EXPECT_TRUE(std::ranges::equal(std::span(x).subspan(parsed.header_bytes), images_));
  const auto y = read_bytes(out_ / "y_test.npy");
  const auto labels = parse_npy_header("y", y);
  EXPECT_EQ(labels.header, (NpyHeader{.dtype = DType::kUInt8, .shape = {kTest}}));
  const auto expected = test::small_labels(kTest, 3);
  EXPECT_TRUE(std::ranges::equal(std::span(y).subspan(labels.header_bytes),
                                 std::span(expected).subspan(8)));
}

TEST_F(ConvertFilesTest, WritesLinesOfCsv) {
  convert(spec(StoredAs::kCsv), kGoOn);
  const auto text = text_of(out_ / "train.csv");
  EXPECT_EQ(std::ranges::count(text, '\n'), kTrain + 1);
  EXPECT_TRUE(text.starts_with("label,pixel0,pixel1,"));
  std::string expected = "label";
  for (int i = 0; i < 35; ++i) expected += ",pixel" + std::to_string(i);
  expected += '\n';
  for (std::size_t i = 0; i < kTrain; ++i) {
    expected += std::to_string(i % 12);
    for (std::size_t p = 0; p < 35; ++p) {
      expected += ',' + std::to_string(std::to_integer<int>(images_[i * 35 + p]));
    }
    expected += '\n';
  }
  EXPECT_EQ(text, expected);
}

TEST_F(ConvertFilesTest, WritesFloatsOfCsvSoThatTheyComeBack) {
  const std::vector<float> values{0.1F, -1e-45F, 3.4028235e38F, 16777217.0F, 1.0F / 3, -0.0F};
  use_floats(values);
  convert(spec(StoredAs::kCsv), kGoOn);
  const auto text = text_of(out_ / "train.csv");
  std::size_t at = text.find('\n');
  for (std::size_t i = 0; i < values.size(); ++i) {
    at = text.find(',', at) + 1;
    EXPECT_EQ(std::strtof(&text[at], nullptr), values[i]) << i;
  }
  use_floats({1, 2, 3, std::numeric_limits<float>::infinity()});
  auto again = spec(StoredAs::kCsv);
  again.force = true;
  EXPECT_NE(data_error_of([&] { convert(again, kGoOn); }).find("sample 1: expected finite values"),
            std::string::npos);
}

TEST_F(ConvertFilesTest, WritesTheNamesOfClassesToCsv) {
  const auto convert_to = [&](StoredAs to, const std::filesystem::path& in,
                              const std::filesystem::path& out, std::uint32_t shards = 0) {
    ConvertSpec asked{.in = in, .out = out, .to = to, .shards = shards};
    convert(asked, kGoOn);
    return open_folder(out);
  };
  const auto class_folder = [&](const std::string& name, int first) {
    const auto folder = in_ / "photos" / "train" / name;
    std::filesystem::create_directories(folder);
    const std::vector<std::byte> pixels{static_cast<std::byte>(first), std::byte{1}};
    write_bytes(folder / "0.png", test::png_of(2, 1, 1, pixels));
  };
  const std::vector<std::string> names{"a, b", "it's", "two \"words\""};
  for (const auto& name : names) class_folder(name, 7);
  const auto photos = in_ / "photos";
  const auto csv = convert_to(StoredAs::kCsv, photos, out_ / "csv");
  EXPECT_EQ(csv.train->class_names(), names);
  const auto text = text_of(out_ / "csv" / "train.csv");
  EXPECT_EQ(text, "label,pixel0,pixel1\n\"a, b\",7,1\nit's,7,1\n\"two \"\"words\"\"\",7,1\n");
  // By way of what keeps names, and back.
  convert_to(StoredAs::kSeekable, out_ / "csv", out_ / "shards", 2);
  convert_to(StoredAs::kCsv, out_ / "shards", out_ / "again");
  EXPECT_EQ(text_of(out_ / "again" / "train.csv"), text);

  const auto refusal = [&] {
    return data_error_of([&] { convert_to(StoredAs::kCsv, photos, out_ / "refused"); });
  };
  for (const std::string name : {" cat", "cat\n", "c\rat", "12", "-1.5"}) {
    class_folder(name, 1);
    EXPECT_NE(refusal().find("expected classes named as csv can hold them"), std::string::npos)
        << name;
    std::filesystem::remove_all(photos / "train" / name);
  }
}

// Of folders that are called by numbers those are the classes, in whatever order they are sorted.
TEST_F(ConvertFilesTest, WritesClassesCalledByNumbersAsNumbers) {
  for (const auto* name : {"0", "1", "10", "02"}) {
    const auto folder = in_ / "photos" / name;
    std::filesystem::create_directories(folder);
    write_bytes(folder / "0.png", test::png_of(1, 1, 1, std::vector<std::byte>{std::byte{5}}));
  }
  convert({.in = in_ / "photos", .out = out_, .to = StoredAs::kCsv}, kGoOn);
  EXPECT_EQ(text_of(out_ / "train.csv"), "label,pixel0\n0,5\n2,5\n1,5\n10,5\n");
}

TEST_F(ConvertFilesTest, RefusesMoreShardsThanSamples) {
  for (const auto to : {StoredAs::kSeekable, StoredAs::kTar, StoredAs::kTarZst}) {
    auto asked = spec(to);
    asked.shards = kTest + 1;
    try {
      convert(asked, kGoOn);
      ADD_FAILURE() << name_of(to);
    } catch (const std::invalid_argument& error) {
      const auto data = (in_ / "t10k-images-idx3-ubyte").string();
      EXPECT_EQ(std::string(error.what()), "--shards: expected at most " + std::to_string(kTest) +
                                               ", a shard for each test sample of " + data +
                                               ", found " + std::to_string(kTest + 1));
    }
    EXPECT_FALSE(std::filesystem::exists(out_));
  }
}

TEST_F(ConvertFilesTest, WritesArchivesOfWholeSamples) {
  for (const auto to : {StoredAs::kTar, StoredAs::kTarZst}) {
    auto three = spec(to);
    three.shards = 3;
    EXPECT_EQ(convert(three, kGoOn).size(), 6U);
    std::uint64_t next = 0;
    for (int shard = 0; shard < 3; ++shard) {
      const auto path =
          out_ / ("train-00000" + std::to_string(shard) + "." + std::string(name_of(to)));
      const auto bytes = EncodedFile(path).take_all(1U << 30U);
      TarReader reader(path, bytes.view());
      while (const auto png = reader.next()) {
        const auto key = "000" + std::string(next < 100 ? next < 10 ? "00" : "0" : "");
        EXPECT_EQ(png->header.path, key + std::to_string(next) + ".png");
        const auto image =
            decode_image(bytes.view().subspan(png->content_at, png->header.size), png->header.path);
        EXPECT_EQ(image.channels, 1U);
        EXPECT_TRUE(std::ranges::equal(image.pixels, std::span(images_).subspan(next * 35, 35)));
        const auto cls = reader.next();
        ASSERT_TRUE(cls);
        EXPECT_EQ(cls->header.path, key + std::to_string(next) + ".cls");
        const auto label = bytes.view().subspan(cls->content_at, cls->header.size);
        const auto expected = test::make_bytes(std::to_string(next % 12));
        EXPECT_TRUE(std::ranges::equal(label, expected));
        ++next;
      }
      EXPECT_EQ(next, kTrain * (static_cast<unsigned>(shard) + 1) / 3);
    }
    EXPECT_EQ(next, kTrain);
    auto fewer = spec(to);
    fewer.force = true;
    EXPECT_NE(data_error_of([&] { convert(fewer, kGoOn); }).find("belongs to another set"),
              std::string::npos);
    std::filesystem::remove_all(out_);
  }
}

TEST_F(ConvertFilesTest, WritesArraysIntoArchivesWhereSamplesAreNoImages) {
  use_floats({1.5F, 2, 3, 4});
  convert(spec(StoredAs::kTar), kGoOn);
  const auto bytes = read_bytes(out_ / "train-000000.tar");
  TarReader reader("t", bytes);
  const auto array = reader.next();
  ASSERT_TRUE(array);
  EXPECT_EQ(array->header.path, "000000.npy");
  const auto content = std::span(bytes).subspan(array->content_at, array->header.size);
  EXPECT_EQ(parse_npy_header("a", content).header,
            (NpyHeader{.dtype = DType::kFloat32, .shape = {2}}));
}

TEST_F(ConvertFilesTest, WritesImagesByClass) {
  auto colour = test::pixels(std::size_t{kTrain} * 2 * 3 * 3);
  write_idx(in_ / "train-images-idx3-ubyte", {DType::kUInt8, {kTrain, 2, 3, 3}}, colour);
  write_idx(in_ / "t10k-images-idx3-ubyte", {DType::kUInt8, {kTest, 2, 3, 3}},
            test::pixels(std::size_t{kTest} * 18));
  for (const bool gray : {false, true}) {
    if (gray) {
      write_idx(in_ / "train-images-idx3-ubyte", {DType::kUInt8, {kTrain, 5, 7}}, images_);
      write_idx(in_ / "t10k-images-idx3-ubyte", {DType::kUInt8, {kTest, 5, 7}},
                test::pixels(kTest * 35));
    }
    const auto& pixels = gray ? images_ : colour;
    const std::size_t bytes = gray ? 35 : 18;
    convert(spec(StoredAs::kImages), kGoOn);
    const auto opened = open_folder(out_);
    ASSERT_EQ(opened.train->size(), kTrain);
    EXPECT_EQ(opened.train->classes(), 12U);
    EXPECT_EQ(opened.test->size(), kTest);
    EXPECT_TRUE(std::filesystem::exists(out_ / "train" / "00" / "000012.png"));
    // By class, and within one in the order that they had.
    std::vector<std::uint64_t> order(kTrain);
    for (std::size_t i = 0; i < kTrain; ++i) order[i] = i;
    std::ranges::stable_sort(order, {}, [](std::uint64_t i) { return i % 12; });
    for (std::uint64_t i = 0; i < kTrain; ++i) {
      ByteVector sample(bytes);
      std::vector<std::int32_t> label(1);
      opened.train->read(std::vector<std::uint64_t>{i}, sample, label);
      EXPECT_EQ(label[0], static_cast<std::int32_t>(order[i] % 12));
      EXPECT_TRUE(std::ranges::equal(sample, std::span(pixels).subspan(order[i] * bytes, bytes)));
    }
    std::filesystem::remove_all(out_);
  }
}

TEST_F(ConvertFilesTest, RefusesWhatAFolderOfImagesCannotKeep) {
  auto labels = test::small_labels(kTrain, 12);
  for (auto& label : std::span(labels).subspan(8)) {
    if (label == std::byte{4}) label = std::byte{5};
  }
  write_bytes(in_ / "train-labels-idx1-ubyte", labels);
  EXPECT_NE(data_error_of([&] {
              convert(spec(StoredAs::kImages), kGoOn);
            }).find("class 04 has no training sample"),
            std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(out_));
  use_floats({1, 2});
  EXPECT_NE(data_error_of([&] {
              convert(spec(StoredAs::kImages), kGoOn);
            }).find("expected images, [h, w] or [h, w, 3] uint8, found 2 float32"),
            std::string::npos);
}

TEST_F(ConvertFilesTest, OverwritesOnlyByForceAndLeavesNothingWhenItIsStopped) {
  for (const auto to : kAllForms) {
    out_ = folder_ / name_of(to);
    std::filesystem::create_directory(out_);
    EXPECT_TRUE(convert(spec(to), [](auto, auto) { return false; }).empty());
    EXPECT_TRUE(std::filesystem::is_empty(out_)) << name_of(to);
    convert(spec(to), kGoOn);
    EXPECT_NE(data_error_of([&] { convert(spec(to), kGoOn); }).find("--force"), std::string::npos);
    auto again = spec(to);
    again.force = true;
    EXPECT_FALSE(convert(again, kGoOn).empty());
    for (const auto& entry : std::filesystem::directory_iterator(out_)) {
      EXPECT_FALSE(entry.path().filename().string().starts_with('.')) << entry.path();
    }
  }
}

// A limit one byte below the largest file stands for a disk that is full at the very end.
TEST_F(ConvertFilesTest, NothingAppearsWhereTheLastBytesDoNotFit) {
  for (const auto to : kAllForms) {
    if (to == StoredAs::kImages) continue;  // a folder of small files
    out_ = folder_ / name_of(to);
    std::uintmax_t largest = 0;
    for (const auto& file : convert(spec(to), kGoOn)) {
      largest = std::max(largest, std::filesystem::file_size(file.to));
    }
    std::filesystem::remove_all(out_);
    {
      const test::FileSizeLimit limit(largest - 1);
      EXPECT_THROW(convert(spec(to), kGoOn), DataError) << name_of(to);
    }
    EXPECT_FALSE(std::filesystem::exists(out_)) << name_of(to);
  }
}

TEST_F(ConvertFilesTest, RemovesWhatKilledConversionsLeft) {
  for (const auto to : kAllForms) {
    out_ = folder_ / name_of(to);
    std::filesystem::create_directories(out_ / ".train.1-0.millrace-tmp" / "0");
    write_bytes(out_ / ".train.csv.1-0.millrace-tmp", test::make_bytes("x"));
    EXPECT_FALSE(convert(spec(to), kGoOn).empty());
    for (const auto& entry : std::filesystem::directory_iterator(out_)) {
      EXPECT_FALSE(entry.path().filename().string().starts_with('.')) << entry.path();
    }
  }
}

TEST_F(ConvertFilesTest, DoesNotHideWhatItWritesBehindIdxFiles) {
  auto place = spec(StoredAs::kNpy);
  place.out = in_;
  EXPECT_NE(data_error_of([&] { convert(place, kGoOn); }).find("choose another folder"),
            std::string::npos);
}

TEST(AtomicFolder, AppearsWholeOrNotAtAll) {
  const test::TempFolder folder;
  {
    const AtomicFolder dropped(folder / "a");
    write_bytes(dropped.temporary() / "x", test::make_bytes("1"));
    EXPECT_FALSE(std::filesystem::exists(folder / "a"));
    remove_stale_folders(folder.path());  // it is held
    EXPECT_TRUE(std::filesystem::exists(dropped.temporary() / "x"));
  }
  EXPECT_EQ(folder.names(), std::vector<std::string>());
  for (const auto* content : {"1", "2"}) {
    AtomicFolder made(folder / "a");
    write_bytes(made.temporary() / "x", test::make_bytes(content));
    made.sync();
    made.commit();
    EXPECT_EQ(folder.names(), std::vector<std::string>{"a"});
    EXPECT_EQ(read_bytes(folder / "a" / "x"), test::make_bytes(content));
  }
  std::filesystem::create_directory(folder / ".b.1-0.millrace-tmp");
  remove_stale_folders(folder.path());
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a"});
}

}  // namespace
}  // namespace millrace
