#include "tools/cli/preview.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "formats/error.h"
#include "tests/support/files.h"
#include "tests/support/idx_files.h"
#include "tests/support/images.h"
#include "tests/support/seekable.h"

namespace millrace {
namespace {

// Forty samples of 4x3 bytes, all of which are the sample's number; label: number modulo 5.
class PreviewTest : public testing::Test {
 protected:
  PreviewTest() {
    test::ByteVector pixels;
    test::ByteVector labels;
    for (int i = 0; i < 40; ++i) {
      pixels.insert(pixels.end(), 12, static_cast<std::byte>(i));
      labels.push_back(static_cast<std::byte>(i % 5));
    }
    write("train-images-idx3-ubyte", {40, 4, 3}, pixels);
    write("train-labels-idx1-ubyte", {40}, labels);
    spec_.data = folder_.path();
  }

  void write(const std::string& name, std::vector<std::uint32_t> dims, const test::ByteVector& data,
             DType type = DType::kUInt8) {
    test::write_bytes(folder_ / name,
                      test::joined({encode_idx_header({type, std::move(dims)}), data}));
  }

  std::vector<std::uint64_t> numbers() const {
    std::vector<std::uint64_t> all;
    for (const auto& sample : preview(spec_).samples) all.push_back(sample.number);
    return all;
  }

  test::TempFolder folder_;
  PreviewSpec spec_;
};

TEST_F(PreviewTest, TakesTheFirstSamples) {
  spec_.count = 7;
  const Preview shown = preview(spec_);
  ASSERT_EQ(shown.samples.size(), 7U);
  ASSERT_EQ(shown.pictures.size(), 7U);
  EXPECT_EQ(shown.note, "");
  for (std::uint32_t i = 0; i < 7; ++i) {
    EXPECT_EQ(shown.samples[i].number, i);
    EXPECT_EQ(shown.samples[i].label, static_cast<std::int32_t>(i % 5));
    EXPECT_EQ(shown.pictures[i].caption, std::to_string(i % 5));
    EXPECT_EQ(shown.pictures[i].picture.width, 3U);
    EXPECT_EQ(shown.pictures[i].picture.height, 4U);
    EXPECT_EQ(shown.pictures[i].picture.pixels[5], i);
  }
  spec_.count = 1000;
  EXPECT_EQ(numbers().size(), 40U);
}

TEST_F(PreviewTest, DrawsBySeed) {
  spec_.count = 10;
  spec_.shuffle = true;
  const auto once = numbers();
  EXPECT_EQ(numbers(), once);
  EXPECT_EQ(std::set(once.begin(), once.end()).size(), 10U);
  spec_.seed = 1;
  EXPECT_NE(numbers(), once);
}

TEST_F(PreviewTest, TakesOneClass) {
  spec_.only = "3";
  EXPECT_EQ(numbers(), (std::vector<std::uint64_t>{3, 8, 13, 18, 23, 28, 33, 38}));
  spec_.shuffle = true;
  spec_.count = 3;
  for (const auto& sample : preview(spec_).samples) EXPECT_EQ(sample.label, 3);
  spec_.only = "five";
  EXPECT_THROW(preview(spec_), DataError);
  spec_.only = "5";
  EXPECT_THROW(preview(spec_), DataError);
}

TEST_F(PreviewTest, ShowsDistortedCopiesAfterEachSample) {
  spec_.count = 2;
  spec_.copies = 3;
  spec_.augment.shift = 1.0F;
  spec_.seed = 8;
  const Preview shown = preview(spec_);
  ASSERT_EQ(shown.pictures.size(), 8U);
  EXPECT_EQ(shown.pictures[4].caption, "1");
  EXPECT_EQ(shown.pictures[5].caption, "epoch 0");
  EXPECT_EQ(shown.pictures[4].picture.pixels, std::vector<std::uint8_t>(12, 1));
  std::vector<std::byte> sample(12, std::byte{1});
  const std::uint64_t id = 1;
  Augmenter(spec_.augment, {{4, 3}}, DType::kUInt8, 8).apply(2, {&id, 1}, sample);
  for (std::size_t i = 0; i < 12; ++i) {
    EXPECT_EQ(shown.pictures[7].picture.pixels[i], std::to_integer<int>(sample[i]));
  }
}

TEST_F(PreviewTest, RefusesWhatIsNoPicture) {
  write("train-images-idx3-ubyte", {40, 12}, test::ByteVector(480));
  EXPECT_THROW(preview(spec_), DataError);
}

TEST_F(PreviewTest, ShowsTheSplitThatIsAskedFor) {
  const auto error = [&] { return test::data_error_of([&] { (void)preview(spec_); }); };
  spec_.split = DataSplit::kTest;
  EXPECT_TRUE(error().ends_with("has no test set")) << error();
  for (const std::string split : {"t10k", "val"}) {
    write(split + "-images-idx3-ubyte", {2, 4, 3}, test::ByteVector(24));
    write(split + "-labels-idx1-ubyte", {2}, test::ByteVector(2));
  }
  EXPECT_NE(preview(spec_).data.find("t10k"), std::string::npos);
  spec_.split = DataSplit::kValidation;
  EXPECT_NE(preview(spec_).data.find("val-"), std::string::npos);
}

TEST_F(PreviewTest, SaysThatFloatsAreStretched) {
  write("train-images-idx3-ubyte", {40, 4, 3}, test::ByteVector(40 * 12 * 4), DType::kFloat32);
  EXPECT_EQ(preview(spec_).note,
            "float32 samples are shown stretched, each from its least value to its largest");
}

TEST(PreviewImages, HaveNamesOfClassesAndShowWhatCannotBeRead) {
  const test::TempFolder folder;
  for (const char* name : {"cat", "dog"}) {
    std::filesystem::create_directory(folder / name);
    for (int i = 0; i < 3; ++i) {
      const auto file = test::png_of(2, 2, 3, test::ByteVector(12, static_cast<std::byte>(9 + i)));
      test::write_bytes(folder / name / (std::to_string(i) + ".png"), file);
    }
  }
  test::write_bytes(folder / "dog" / "1.png", test::make_bytes("no picture"));
  PreviewSpec spec;
  spec.data = folder.path();
  spec.only = "dog";
  const Preview shown = preview(spec);
  ASSERT_EQ(shown.samples.size(), 3U);
  EXPECT_EQ(shown.pictures[0].caption, "dog");
  EXPECT_EQ(shown.pictures[0].picture.pixels[4], 9);
  EXPECT_EQ(shown.pictures[1].caption, "unreadable");
  EXPECT_EQ(shown.pictures[1].picture.pixels[4], 0);
  EXPECT_NE(shown.samples[1].reason.find("1.png"), std::string::npos);
  spec.only = "1";
  EXPECT_EQ(preview(spec).samples.size(), 3U);
}

}  // namespace
}  // namespace millrace
