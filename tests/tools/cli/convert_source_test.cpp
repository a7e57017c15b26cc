#include "tools/cli/convert_source.h"

#include <gtest/gtest.h>

#include <string>

#include "formats/folder.h"
#include "tests/support/images.h"
#include "tools/cli/convert.h"

namespace millrace {
namespace {

using test::ByteVector;
using test::data_error_of;

const auto kGoOn = [](std::uint64_t, std::uint64_t) { return true; };

class ConvertSourceTest : public testing::Test {
 protected:
  void add_image(const std::string& name, std::uint32_t side, int value) const {
    const auto path = folder_ / "in" / name;
    std::filesystem::create_directories(path.parent_path());
    test::write_bytes(path, test::png_of(side, side, 3,
                                         ByteVector(std::size_t{side} * side * 3,
                                                    static_cast<std::byte>(value))));
  }
  void add_cifar(const std::string& name, int samples, int classes) const {
    std::filesystem::create_directories(folder_ / "in");
    ByteVector bytes;
    for (int i = 0; i < samples; ++i) {
      bytes.push_back(static_cast<std::byte>(i % classes));
      for (int p = 0; p < 3072; ++p) bytes.push_back(static_cast<std::byte>((i * 7 + p) % 253));
    }
    test::write_bytes(folder_ / "in" / name, bytes);
  }
  ConvertSpec spec(StoredAs to) const {
    ConvertSpec spec;
    spec.in = folder_ / "in";
    spec.out = folder_ / "out";
    spec.to = to;
    return spec;
  }
  test::TempFolder folder_;
};

TEST_F(ConvertSourceTest, MakesIdxFilesOfCifarWithTheSameContent) {
  // More than a piece of 4 MiB.
  add_cifar("data_batch_1.bin", 1500, 10);
  add_cifar("test_batch.bin", 40, 10);
  const auto before = open_folder(folder_ / "in");
  for (const auto to : {StoredAs::kPlain, StoredAs::kGzip, StoredAs::kSeekable}) {
    const auto files = convert(spec(to), kGoOn);
    ASSERT_EQ(files.size(), 4U);
    EXPECT_EQ(files[0].to.filename().string().find("train-images-idx4-ubyte"), 0U);
    EXPECT_EQ(files[3].to.filename().string().find("t10k-labels-idx1-ubyte"), 0U);
    EXPECT_EQ(files[0].content, 1500U * 3072 + 20);
    const auto after = open_folder(folder_ / "out");
    EXPECT_EQ(after.train->shape(), before.train->shape());
    EXPECT_EQ(after.train->hash(), before.train->hash());
    EXPECT_EQ(after.test->hash(), before.test->hash());
    std::filesystem::remove_all(folder_ / "out");
  }
}

TEST_F(ConvertSourceTest, DecodesImagesAsAsked) {
  for (int i = 0; i < 30; ++i) {
    add_image((i % 3 == 0 ? "cat/" : "dog/") + std::to_string(100 + i) + ".png", 8, 3 * i);
  }
  auto asked = spec(StoredAs::kSeekable);
  asked.image = {.resize = ImageSize{5, 4}, .channels = ImageChannels::kGray};
  asked.jobs = 3;
  convert(asked, kGoOn);
  const auto before = open_folder(folder_ / "in", {.image = asked.image});
  const auto after = open_folder(folder_ / "out");
  EXPECT_EQ(after.train->shape(), (SampleShape{{4, 5}}));
  EXPECT_EQ(after.train->classes(), 2U);
  EXPECT_EQ(after.train->hash(), before.train->hash());
}

// Whatever the form and the layout, what is written is what --resize makes of it when it is opened.
TEST_F(ConvertSourceTest, ResizesSamplesOfAnyForm) {
  add_cifar("data_batch_1.bin", 30, 10);
  add_cifar("test_batch.bin", 20, 10);
  for (const auto shards : {0U, 2U}) {
    auto asked = spec(shards == 0 ? StoredAs::kPlain : StoredAs::kSeekable);
    asked.shards = shards;
    asked.image = {.resize = ImageSize{9, 7}, .channels = ImageChannels::kGray};
    convert(asked, kGoOn);
    const auto before = open_folder(folder_ / "in", {.image = asked.image});
    const auto after = open_folder(folder_ / "out");
    EXPECT_EQ(after.train->shape(), (SampleShape{{7, 9}}));
    EXPECT_EQ(after.train->hash(), before.train->hash());
    EXPECT_EQ(after.test->hash(), before.test->hash());
    // And again, of those IDX files or shards.
    auto again = asked;
    again.in = folder_ / "out";
    again.out = folder_ / "again";
    again.image = {.resize = ImageSize{4, 4}, .channels = ImageChannels::kRgb};
    convert(again, kGoOn);
    const auto twice = open_folder(folder_ / "again");
    EXPECT_EQ(twice.train->shape(), (SampleShape{{4, 4, 3}}));
    EXPECT_EQ(twice.train->hash(),
              open_folder(folder_ / "out", {.image = again.image}).train->hash());
    std::filesystem::remove_all(folder_ / "out");
    std::filesystem::remove_all(folder_ / "again");
  }
}

TEST_F(ConvertSourceTest, LeavesNothingWhereAnImageIsBroken) {
  for (int i = 0; i < 9; ++i) add_image("a/" + std::to_string(i) + ".png", 8, i);
  auto broken = test::read_bytes(folder_ / "in" / "a" / "5.png");
  broken.resize(broken.size() - 20);  // the end of the pixels and what comes after them
  test::write_bytes(folder_ / "in" / "a" / "5.png", broken);
  EXPECT_NE(data_error_of([&] { convert(spec(StoredAs::kSeekable), kGoOn); }).find("5.png"),
            std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out"));
}

TEST_F(ConvertSourceTest, StopsWhereItsSinkDoes) {
  add_cifar("train.bin", 4000, 50);  // not CIFAR-100's records
  EXPECT_NE(data_error_of([&] { (void)convert_sources(spec(StoredAs::kPlain)); }).find("train.bin"),
            std::string::npos);
  std::filesystem::remove(folder_ / "in" / "train.bin");
  add_cifar("data_batch_1.bin", 3000, 10);
  const auto sources = convert_sources(spec(StoredAs::kPlain));
  ASSERT_EQ(sources.size(), 2U);
  int pieces = 0;
  EXPECT_FALSE(sources[0].read([&](std::span<const std::byte>) { return ++pieces < 2; }));
  EXPECT_EQ(pieces, 2);
}

}  // namespace
}  // namespace millrace
