#include "formats/resized_dataset.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>

#include "formats/array_dataset.h"
#include "formats/folder.h"
#include "tests/support/faulty_dataset.h"
#include "tests/support/idx_files.h"
#include "tests/support/images.h"
#include "tests/support/npy_files.h"

namespace millrace {
namespace {

using test::ByteVector;
using test::data_error_of;

/// `count` samples of noise in `dims`, label i being i % 3.
std::shared_ptr<const ArrayDataset> noise(std::vector<std::uint64_t> dims, std::uint64_t count = 7,
                                          DType dtype = DType::kUInt8) {
  dims.insert(dims.begin(), count);
  const auto elements = SampleShape{dims}.elements();
  const auto bytes = std::make_shared<ByteVector>(elements * size_of(dtype));
  std::uint32_t state = 1;
  for (auto& byte : *bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<std::byte>(state >> 24U);
  }
  Labels labels{.values = std::vector<std::int32_t>(count), .classes = 3};
  for (std::size_t i = 0; i < count; ++i) labels.values[i] = static_cast<std::int32_t>(i % 3);
  return std::make_shared<const ArrayDataset>(
      Array{.name = "noise", .dtype = dtype, .dims = dims, .owner = bytes, .data = *bytes},
      std::move(labels));
}

ByteVector all_of(const Dataset& data) {
  std::vector<std::uint64_t> ids(data.size());
  std::iota(ids.begin(), ids.end(), std::uint64_t{0});
  ByteVector samples(ids.size() * data.sample_bytes());
  std::vector<std::int32_t> labels(ids.size());
  data.read(ids, samples, labels);
  return samples;
}

constexpr ImageOptions kSmall{.resize = ImageSize{5, 4}};
constexpr ImageOptions kGray{.channels = ImageChannels::kGray};
constexpr ImageOptions kRgb{.channels = ImageChannels::kRgb};

using Dims = std::vector<std::uint64_t>;

TEST(ResizedDataset, KeepsTheLayoutOfSamples) {
  const auto shape = [](const Dims& dims, const ImageOptions& options) {
    return ResizedDataset::as_asked(noise(dims), options)->shape().dims;
  };
  EXPECT_EQ(shape({8, 6}, kSmall), (Dims{4, 5}));
  EXPECT_EQ(shape({8, 6, 1}, kSmall), (Dims{4, 5, 1}));
  EXPECT_EQ(shape({8, 6, 3}, kSmall), (Dims{4, 5, 3}));
  EXPECT_EQ(shape({1, 8, 6}, kSmall), (Dims{1, 4, 5}));
  EXPECT_EQ(shape({3, 8, 6}, kSmall), (Dims{3, 4, 5}));
  EXPECT_EQ(shape({3, 8, 6}, kGray), (Dims{8, 6}));
  EXPECT_EQ(shape({8, 6, 3}, kGray), (Dims{8, 6}));
  EXPECT_EQ(shape({8, 6}, kRgb), (Dims{8, 6, 3}));
  EXPECT_EQ(shape({1, 8, 6}, kRgb), (Dims{8, 6, 3}));
}

TEST(ResizedDataset, IsTheSetItselfWhereNothingChanges) {
  const auto data = noise({4, 5, 3});
  EXPECT_EQ(ResizedDataset::as_asked(data, {}), data);
  EXPECT_EQ(ResizedDataset::as_asked(data, kSmall), data);
  EXPECT_EQ(ResizedDataset::as_asked(data, kRgb), data);
}

// The same pixels, as files of images and as an array, give the same samples.
TEST(ResizedDataset, MakesWhatAFolderOfImagesGives) {
  for (const std::uint64_t channels : {1U, 3U}) {
    const auto data = noise(channels == 1 ? Dims{8, 6} : Dims{8, 6, 3}, 5);
    const auto pixels = all_of(*data);
    const test::TempFolder folder;
    std::filesystem::create_directory(folder / "a");
    const auto bytes = data->sample_bytes();
    for (std::size_t i = 0; i < 5; ++i) {
      test::write_bytes(folder / "a" / (std::to_string(i) + ".png"),
                        test::png_of(6, 8, static_cast<std::uint32_t>(channels),
                                     std::span(pixels).subspan(i * bytes, bytes)));
    }
    for (const auto asked : {ImageChannels::kAsStored, ImageChannels::kGray, ImageChannels::kRgb}) {
      for (const auto& size : {std::optional<ImageSize>{}, std::optional(ImageSize{3, 5}),
                               std::optional(ImageSize{13, 9}), std::optional(ImageSize{6, 8})}) {
        const ImageOptions options{.resize = size, .channels = asked};
        const auto resized = ResizedDataset::as_asked(data, options);
        const auto images = open_folder(folder.path(), {.image = options}).train;
        EXPECT_EQ(resized->shape(), images->shape());
        EXPECT_EQ(all_of(*resized), all_of(*images));
      }
    }
  }
}

TEST(ResizedDataset, KeepsTargets) {
  const auto data = noise({8, 6});
  Labels labels{.values = std::vector<std::int32_t>(14), .targets = 2};
  for (std::size_t i = 0; i < 14; ++i) labels.values[i] = target_word(static_cast<float>(i));
  const auto bytes = std::make_shared<ByteVector>(all_of(*data));
  const auto resized = ResizedDataset::as_asked(
      std::make_shared<const ArrayDataset>(
          Array{.name = "noise", .dims = {7, 8, 6}, .owner = bytes, .data = *bytes}, labels),
      kSmall);
  EXPECT_EQ(resized->targets(), 2U);
  const std::vector<std::uint64_t> ids{6, 0};
  ByteVector samples(ids.size() * resized->sample_bytes());
  std::vector<std::int32_t> read(4);
  resized->read(ids, samples, read);
  EXPECT_EQ(target_of(read[0]), 12);
  EXPECT_EQ(target_of(read[1]), 13);
  EXPECT_EQ(target_of(read[3]), 1);
  EXPECT_EQ(resized->hash().size(), 32U) << "which reads all";
}

TEST(ResizedDataset, ResizesPlanesAsTheirPixels) {
  const auto interleaved = noise({8, 6, 3});
  const auto pixels = all_of(*interleaved);
  const auto planes = std::make_shared<ByteVector>(pixels.size());
  for (std::size_t i = 0; i < 7; ++i) {
    for (std::size_t p = 0; p < 48; ++p) {
      for (std::size_t c = 0; c < 3; ++c) {
        (*planes)[i * 144 + c * 48 + p] = pixels[i * 144 + p * 3 + c];
      }
    }
  }
  const auto data = std::make_shared<const ArrayDataset>(
      Array{.name = "planes", .dims = {7, 3, 8, 6}, .owner = planes, .data = *planes},
      Labels{.values = std::vector<std::int32_t>(7), .classes = 1});
  EXPECT_EQ(all_of(*ResizedDataset::as_asked(data, kGray)),
            all_of(*ResizedDataset::as_asked(interleaved, kGray)));
  const auto small = all_of(*ResizedDataset::as_asked(data, kSmall));
  const auto expected = all_of(*ResizedDataset::as_asked(interleaved, kSmall));
  for (std::size_t i = 0; i < 7; ++i) {
    for (std::size_t p = 0; p < 20; ++p) {
      for (std::size_t c = 0; c < 3; ++c) {
        ASSERT_EQ(small[i * 60 + c * 20 + p], expected[i * 60 + p * 3 + c]);
      }
    }
  }
}

TEST(ResizedDataset, IsReadInAnyOrderByManyThreads) {
  const auto data = ResizedDataset::as_asked(noise({40, 30}, 900), kSmall);
  const auto whole = all_of(*data);  // more than it reads at once
  std::vector<std::thread> threads;
  std::vector<int> good(4);
  for (std::size_t t = 0; t < good.size(); ++t) {
    threads.emplace_back([&, t] {
      for (std::uint64_t i = t; i < data->size(); i += 7) {
        const std::array<std::uint64_t, 2> ids{data->size() - 1 - i, i};
        std::array<std::byte, 40> samples{};
        std::array<std::int32_t, 2> labels{};
        data->read(ids, samples, labels);
        for (std::size_t k = 0; k < 2; ++k) {
          const bool same = std::ranges::equal(std::span(samples).subspan(k * 20, 20),
                                               std::span(whole).subspan(ids[k] * 20, 20)) &&
                            labels[k] == static_cast<std::int32_t>(ids[k] % 3);
          if (!same) return;
        }
      }
      good[t] = 1;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, (std::vector<int>{1, 1, 1, 1}));
}

TEST(ResizedDataset, HasTheHashOfWhatItDelivers) {
  const auto resized = ResizedDataset::as_asked(noise({8, 6, 3}), kSmall);
  const auto bytes = std::make_shared<ByteVector>(all_of(*resized));
  const ArrayDataset written(
      Array{.name = "written", .dims = {7, 4, 5, 3}, .owner = bytes, .data = *bytes},
      Labels{.values = {0, 1, 2, 0, 1, 2, 0}, .classes = 3});
  EXPECT_EQ(resized->hash(), written.hash());
  EXPECT_NE(resized->hash(), noise({8, 6, 3})->hash());
}

TEST(ResizedDataset, RefusesWhatHasNoImages) {
  EXPECT_EQ(
      data_error_of([] { (void)ResizedDataset::as_asked(noise({784}), kGray); }),
      "noise: expected uint8 images, of height and width, to resize (--resize) or make grey "
      "or RGB (--gray, --rgb), found samples of 784 uint8 (--image-size WxH makes images of them)");
  EXPECT_NE(data_error_of([] {
              (void)ResizedDataset::as_asked(noise({8, 6}, 7, DType::kFloat32), kSmall);
            }).find("found samples of 8x6 float32"),
            std::string::npos);
  EXPECT_EQ(ResizedDataset::as_asked(noise({784}), {})->shape(), (SampleShape{{784}}));
  EXPECT_THROW((void)ResizedDataset::as_asked(noise({8, 6}), {.resize = ImageSize{0, 4}}),
               std::invalid_argument);
  const auto resized = ResizedDataset::as_asked(noise({8, 6}), kSmall);
  std::vector<std::byte> room(20);
  std::vector<std::int32_t> label(1);
  EXPECT_THROW(resized->read(std::vector<std::uint64_t>{7}, room, label), std::out_of_range);
}

TEST(ResizedDataset, NamesTheSampleThatCannotBeRead) {
  const auto faulty =
      std::make_shared<const test::FaultyDataset>(noise({8, 6}), std::set<std::uint64_t>{4});
  const auto resized = ResizedDataset::as_asked(faulty, kSmall);
  EXPECT_NE(data_error_of([&] { (void)resized->hash(); }).find("faulty.bin"), std::string::npos);
  std::vector<std::byte> room(20);
  std::vector<std::int32_t> label(1);
  resized->read(std::vector<std::uint64_t>{5}, room, label);
  EXPECT_EQ(label[0], 2);
}

TEST(ResizedDataset, IsWhatFoldersOpenAs) {
  const test::TempFolder folder;
  const auto shape = [&] { return open_folder(folder.path(), {.image = kSmall}).train->shape(); };
  test::write_bytes(folder / "x_train.npy", test::npy_images(4));
  test::write_bytes(folder / "y_train.npy", test::npy_labels(4, 3));
  EXPECT_EQ(shape(), (SampleShape{{4, 5}}));
  EXPECT_EQ(open_folder(folder / "x_train.npy", {.image = kRgb}).train->shape(),
            (SampleShape{{2, 3, 3}}));
  for (const auto* split : {"train", "t10k"}) {
    const std::string name = split;
    test::write_bytes(folder / (name + "-images-idx3-ubyte"), test::small_images(6));
    test::write_bytes(folder / (name + "-labels-idx1-ubyte"), test::small_labels(6, 3));
  }
  EXPECT_EQ(shape(), (SampleShape{{4, 5}}));
  const auto opened = open_folder(folder.path(), {.image = kSmall});
  EXPECT_EQ(opened.test->shape(), (SampleShape{{4, 5}}));
  EXPECT_NE(opened.description.find("6 training and 6 test samples, 4x5 uint8, 3 classes"),
            std::string::npos);
  const test::TempFolder table;
  test::write_bytes(table / "train.csv", test::make_bytes("1,2,3\n0,4,5\n"));
  EXPECT_NE(data_error_of([&] {
              (void)open_folder(table.path(), {.image = kSmall});
            }).find("found samples of 2 uint8"),
            std::string::npos);
}

}  // namespace
}  // namespace millrace
