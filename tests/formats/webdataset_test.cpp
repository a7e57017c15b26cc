#include "formats/webdataset.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <span>
#include <stdexcept>
#include <string>

#include "formats/folder.h"
#include "formats/seek_table.h"
#include "formats/seekable_writer.h"
#include "tests/support/compressed.h"
#include "tests/support/images.h"
#include "tests/support/npy_files.h"
#include "tests/support/tar_files.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;
using test::ByteVector;
using test::data_error_of;
using test::make_bytes;
using test::TarEntry;

// A grey image of 3x2, its pixels `first`, first + 1, …
ByteVector image(int first) {
  ByteVector pixels;
  for (int i = 0; i < 6; ++i) pixels.push_back(static_cast<std::byte>(first + i));
  return test::png_of(3, 2, 1, pixels);
}

class WebDatasetTest : public testing::Test {
 protected:
  fs::path write(const std::vector<TarEntry>& entries, const std::string& name = "a.tar") const {
    return test::write_bytes(folder_ / name, test::tar_of(entries));
  }
  std::string error_of(const std::vector<TarEntry>& entries) const {
    const auto path = write(entries);
    const auto message = data_error_of([&] {
      const WebDataset data({path});
      ByteVector samples(data.size() * data.sample_bytes());
      std::vector<std::int32_t> labels(data.size());
      std::vector<std::uint64_t> ids(data.size());
      for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = i;
      data.read(ids, samples, labels);
    });
    EXPECT_TRUE(message.starts_with(path.string())) << message;
    return message.substr(std::min(message.size(), path.string().size()));
  }

  test::TempFolder folder_;
};

TEST_F(WebDatasetTest, ReadsImagesAndClasses) {
  const WebDataset data({write({{"x/", {}, '5'},
                                {"x/0.png", image(10)},
                                {"x/0.cls", make_bytes("2\n")},
                                {"x/1.cls", make_bytes(" 0 ")},
                                {"x/1.png", image(20)},
                                {"x/1.txt", make_bytes("a cat")},
                                {"x/.hidden.png", make_bytes("junk")},
                                {"README", make_bytes("junk")}})});
  EXPECT_EQ(data.size(), 2U);
  EXPECT_EQ(data.shape(), (SampleShape{{2, 3}}));
  EXPECT_EQ(data.classes(), 3U);
  EXPECT_EQ(data.name(), (folder_ / "a.tar").string());
  ByteVector samples(12);
  std::vector<std::int32_t> labels(2);
  const std::vector<std::uint64_t> ids{1, 0};
  data.read(ids, samples, labels);
  EXPECT_EQ(labels, (std::vector<std::int32_t>{0, 2}));
  EXPECT_EQ(samples[0], std::byte{20});
  EXPECT_EQ(samples[11], std::byte{15});
  const std::vector<std::uint64_t> beyond{2, 0};
  EXPECT_THROW(data.read(beyond, samples, labels), std::out_of_range);
  EXPECT_EQ(data.hash().size(), 32U);
}

TEST_F(WebDatasetTest, ReadsArrays) {
  const std::vector<float> first{1, 2, 3};
  const std::vector<float> second{4, 5, 6};
  const NpyHeader header{.dtype = DType::kFloat32, .shape = {3}};
  const WebDataset data({write({{"0.npy", test::npy_of(header, test::bytes_of(first))},
                                {"0.cls", make_bytes("0")},
                                {"1.npy", test::npy_of(header, test::bytes_of(second))},
                                {"1.cls", make_bytes("1")}})});
  EXPECT_EQ(data.shape(), (SampleShape{{3}}));
  EXPECT_EQ(data.dtype(), DType::kFloat32);
  std::vector<float> read(3);
  std::vector<std::int32_t> label(1);
  const std::vector<std::uint64_t> ids{1};
  data.read(ids, std::as_writable_bytes(std::span(read)), label);
  EXPECT_EQ(read, second);
}

TEST_F(WebDatasetTest, ReadsShardsInOrderFromEveryForm) {
  const std::vector<TarEntry> first{{"0.png", image(1)}, {"0.cls", make_bytes("0")}};
  const std::vector<TarEntry> second{{"0.png", image(2)}, {"0.cls", make_bytes("1")}};
  const auto plain = WebDataset({write(first, "0.tar"), write(second, "1.tar")}).hash();
  const auto packed =
      test::write_bytes(folder_ / "0.tar.gz", test::gzip_member(test::tar_of(first)));
  const auto frame =
      test::write_bytes(folder_ / "1.tar.zst", test::zstd_frame(test::tar_of(second)));
  EXPECT_EQ(WebDataset({packed, frame}).hash(), plain);
  EXPECT_NE(WebDataset({frame, packed}).hash(), plain);
  EXPECT_EQ(WebDataset({packed, frame}).name(), folder_.path().string());
  EXPECT_THROW(WebDataset({}), std::invalid_argument);
}

TEST_F(WebDatasetTest, ReadsSeekableShardsFrameByFrame) {
  std::vector<TarEntry> entries;
  for (int i = 0; i < 40; ++i) {
    const auto key = "folder/" + std::to_string(i);
    entries.push_back({key + ".png", image(3 * i)});
    entries.push_back(
        i % 2 == 0
            ? TarEntry{key + ".cls", make_bytes(std::to_string(i % 5))}
            : TarEntry{key + ".json", make_bytes("{\"label\": " + std::to_string(i % 5) + "}")});
  }
  const auto archive = test::tar_of(entries);
  const WebDataset plain({test::write_bytes(folder_ / "plain.tar", archive)});
  for (const std::size_t frame_bytes : {100U, 1000U, 5000U, 1'000'000U}) {
    const auto path = folder_ / "a.tar.zst";
    SeekableWriter writer(path);
    for (auto rest = std::span(archive); !rest.empty();) {
      const auto frame = rest.first(std::min(rest.size(), frame_bytes));
      writer.append({frame.begin(), frame.end()});
      rest = rest.subspan(frame.size());
    }
    writer.commit();
    const WebDataset data({path}, {}, {}, 0);
    EXPECT_EQ(data.hash(), plain.hash());
    EXPECT_EQ(WebDataset({path}).hash(), plain.hash());
    ByteVector samples(5 * 6);
    std::vector<std::int32_t> labels(5);
    const std::vector<std::uint64_t> ids{39, 0, 20, 20, 1};
    data.read(ids, samples, labels);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      EXPECT_EQ(samples[i * 6], static_cast<std::byte>(3 * ids[i]));
      EXPECT_EQ(labels[i], static_cast<std::int32_t>(ids[i] % 5));
    }
    // Behind the first sample's frames, where there are any.
    auto file = test::read_bytes(path);
    const auto table = read_seek_table(path, file).value();
    const auto& last = table.frames().back();
    file[static_cast<std::size_t>(last.stored_at) + last.stored / 2] ^= std::byte{16};
    test::write_bytes(path, file);
    const auto message = data_error_of([&] { WebDataset({path}, {}, {}, 0); });
    EXPECT_NE(message.find("broken frame " + std::to_string(table.frames().size() - 1) + " "),
              std::string::npos)
        << message;
  }
}

TEST_F(WebDatasetTest, OpensASeekableShardByFramesWhereItIsLarge) {
  const auto archive = test::tar_of({{"0.png", image(1)}, {"0.cls", make_bytes("0")}});
  SeekableWriter writer(folder_ / "a.tar.zst");
  writer.append(archive);
  writer.commit();
  for (const std::uint64_t most : {std::uint64_t{0}, archive.size() - 1, std::uint64_t{1} << 20}) {
    EXPECT_EQ(open_folder(folder_ / "a.tar.zst", {.most_decoded = most}).train->size(), 1U);
  }
}

TEST_F(WebDatasetTest, DecodesImagesAsAsked) {
  const auto path = write({{"0.png", image(1)}, {"0.cls", make_bytes("0")}});
  const WebDataset data({path}, {.resize = ImageSize{4, 4}, .channels = ImageChannels::kRgb});
  EXPECT_EQ(data.shape(), (SampleShape{{4, 4, 3}}));
}

TEST_F(WebDatasetTest, TakesTheFormThatIsKnownWhereNoneIsAskedFor) {
  // Of two sizes, which without one are an error.
  write({{"0.png", image(1)}, {"0.cls", make_bytes("0")}}, "train-000000.tar");
  write({{"1.png", test::png_of(5, 4, 1, ByteVector(20))}, {"1.cls", make_bytes("1")}},
        "train-000001.tar");
  const KnownData known{.image = {.resize = ImageSize{4, 3}}};
  EXPECT_EQ(open_folder(folder_.path(), {.known = known}).train->shape(), (SampleShape{{3, 4}}));
  EXPECT_EQ(open_folder(folder_ / "train-000001.tar", {.known = known}).train->shape(),
            (SampleShape{{3, 4}}));
}

TEST_F(WebDatasetTest, OpensFolders) {
  const auto description = [&](const fs::path& path) { return open_folder(path).description; };
  write({{"0.png", image(1)}, {"0.cls", make_bytes("2")}}, "train-000000.tar");
  write({{"0.png", image(2)}, {"0.cls", make_bytes("1")}}, "train-000001.tar");
  const auto here = folder_.path().string() + ": ";
  EXPECT_EQ(description(folder_.path()), here + "2 training samples, 2x3 uint8, 3 classes");
  write({{"0.png", image(2)}, {"0.cls", make_bytes("0")}}, "val-000000.tar");
  EXPECT_EQ(description(folder_.path()),
            here + "2 training and 1 test samples, 2x3 uint8, 3 classes");
  EXPECT_EQ(description(folder_ / "train-000001.tar"),
            (folder_ / "train-000001.tar").string() + ": 1 training samples, 2x3 uint8, 2 classes");
}

TEST_F(WebDatasetTest, NamesATestImageUnlikeTheTrainingImages) {
  const auto zero = make_bytes("0");
  const auto error = [&](const ImageOptions& options = {}) {
    return data_error_of([&] { (void)open_folder(folder_.path(), {.image = options}); });
  };
  const auto with_test = [&](const ByteVector& png) {
    return write({{"0.png", png}, {"0.cls", zero}}, "test.tar").string();
  };
  write({{"0.png", image(1)}, {"0.cls", zero}}, "train.tar");
  const auto path = with_test(test::png_of(4, 2, 1, ByteVector(8)));
  EXPECT_EQ(error(), path +
                         "/0.png: expected an image of 3x2, as the training images are (--resize "
                         "WxH makes all of one size), found 4x2");
  EXPECT_EQ(open_folder(folder_.path(), {.image = {.resize = ImageSize{2, 2}}}).test->shape(),
            (SampleShape{{2, 2}}));
  with_test(test::png_of(3, 2, 3, ByteVector(18)));
  EXPECT_EQ(error(), path +
                         "/0.png: expected a grey image, as the training images are (--gray or "
                         "--rgb makes all of one kind), found one in colour");
  EXPECT_EQ(error({.resize = ImageSize{2, 2}}), error());
  EXPECT_EQ(
      open_folder(folder_.path(), {.image = {.channels = ImageChannels::kGray}}).test->shape(),
      (SampleShape{{2, 3}}));
  // Grey ones become RGB beside training images in colour.
  write({{"0.png", test::png_of(3, 2, 3, ByteVector(18))}, {"0.cls", zero}}, "train.tar");
  with_test(image(1));
  EXPECT_EQ(open_folder(folder_.path()).test->shape(), (SampleShape{{2, 3, 3}}));
  // Images are no arrays, nor the other way round.
  write({{"0.npy", test::npy_images(1)}, {"0.cls", zero}}, "train.tar");
  EXPECT_NE(error().find("expected samples of 1x2x3 uint8"), std::string::npos) << error();
}

TEST_F(WebDatasetTest, NamesBrokenAndOtherSamplesAndNone) {
  const auto zero = make_bytes("0");
  EXPECT_EQ(error_of({{"README", zero}}),
            ": expected samples like 000017.jpg and 000017.cls in the tar archive, found none");
  EXPECT_EQ(error_of({{"x/", {}, '5'}, {"x/0.png", {}, '1'}, {"x/0.cls", {}, '2'}}),
            ": expected samples like 000017.jpg and 000017.cls in the tar archive, found none "
            "(x/0.png at byte 512 is left out: a hard link, one of 2 links and sparse files)");
  EXPECT_EQ(error_of({{"0.png", image(1)},
                      {"0.cls", zero},
                      {"1.png", test::png_of(2, 3, 1, ByteVector(6))},
                      {"1.cls", zero}}),
            "/1.png: expected an image of 3x2, as " + (folder_ / "a.tar").string() +
                "/0.png is (--resize WxH makes all of one size), found 2x3");
  EXPECT_TRUE(error_of({{"0.png", make_bytes("junk")}, {"0.cls", zero}}).starts_with("/0.png: "));
  EXPECT_EQ(error_of({{"0.npy", test::npy_images(1)},
                      {"0.cls", zero},
                      {"1.npy", test::npy_images(2)},
                      {"1.cls", zero}}),
            "/1.npy: expected an array of 1x2x3 uint8, as the first is, found 2x2x3 uint8");
}

}  // namespace
}  // namespace millrace
