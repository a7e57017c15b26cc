#include "formats/image_folder.h"

#include <gtest/gtest.h>

#include <chrono>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>

#include "formats/folder.h"
#include "tests/support/images.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;
using test::ByteVector;
using test::data_error_of;
using test::make_bytes;

ByteVector plain_png(std::uint32_t width, std::uint32_t height, std::uint32_t channels, int value) {
  return test::png_of(
      width, height, channels,
      ByteVector(std::size_t{width} * height * channels, static_cast<std::byte>(value)));
}

class ImageFolderTest : public testing::Test {
 protected:
  fs::path add(const std::string& name, const ByteVector& bytes) const {
    fs::create_directories((folder_ / name).parent_path());
    return test::write_bytes(folder_ / name, bytes);
  }
  std::string at(const std::string& name) const { return (folder_ / name).string(); }
  std::string error_of(const ImageOptions& options = {}) const {
    return data_error_of([&] { (void)open_folder(folder_.path(), {.image = options}); });
  }
  static std::pair<ByteVector, std::vector<std::int32_t>> read_all(const Dataset& data) {
    std::vector<std::uint64_t> ids(data.size());
    std::iota(ids.begin(), ids.end(), 0);
    std::pair<ByteVector, std::vector<std::int32_t>> all{
        ByteVector(data.size() * data.sample_bytes()), std::vector<std::int32_t>(data.size())};
    data.read(ids, all.first, all.second);
    return all;
  }

  test::TempFolder folder_;
};

TEST_F(ImageFolderTest, SortsClassesByNameAndImagesByPath) {
  add("b/2.png", plain_png(2, 1, 1, 22));
  add("b/1.PNG", plain_png(2, 1, 1, 21));
  add("a/deep/x.png", plain_png(2, 1, 1, 10));
  add("a/z.png", plain_png(2, 1, 1, 11));
  const ImageFolder data(folder_.path());
  EXPECT_EQ(data.class_names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(data.classes(), 2U);
  EXPECT_EQ(data.shape(), (SampleShape{{1, 2}}));
  EXPECT_EQ(data.name(), folder_.path().string());
  EXPECT_EQ(data.file(2).string(), at("b/1.PNG"));
  const auto [samples, labels] = read_all(data);
  EXPECT_EQ(samples, make_bytes({10, 10, 11, 11, 21, 21, 22, 22}));
  EXPECT_EQ(labels, (std::vector<std::int32_t>{0, 0, 1, 1}));
}

TEST_F(ImageFolderTest, KnowsAnImageThatIsAnotherThanAsItWasOpened) {
  const auto image = add("a/1.png", plain_png(2, 1, 1, 1));
  const auto size = std::to_string(fs::file_size(image));
  const auto time = fs::last_write_time(image);
  const ImageFolder data(folder_.path());
  const auto expected = at("a/1.png") + ": expected the file of " + size +
                        " bytes that was there as its folder was opened, found ";
  const auto error = [&] {
    EXPECT_THROW(read_all(data), ChangedFile);
    return data_error_of([&] { read_all(data); });
  };
  add("a/1.png", plain_png(200, 100, 1, 2));
  EXPECT_EQ(error(), expected + "one of " + std::to_string(fs::file_size(image)) + " bytes");
  add("a/1.png", plain_png(2, 1, 1, 1));
  fs::last_write_time(image, time + std::chrono::seconds(1));
  EXPECT_EQ(error(), expected + "one that was written to since");
  fs::remove(image);
  EXPECT_EQ(error(), expected + "none");
  add("a/1.png", plain_png(2, 1, 1, 1));
  fs::last_write_time(image, time);
  EXPECT_EQ(read_all(data).first, make_bytes({1, 1})) << "as it was";
}

TEST_F(ImageFolderTest, TakesAnImageThatNeverWasThereForABadOne) {
  add("a/1.png", plain_png(2, 1, 1, 1));
  fs::create_symlink("nowhere", folder_ / "a" / "2.png");
  const ImageFolder data(folder_.path(), {}, ImageFolder::Headers::kAnyReadable);
  EXPECT_EQ(data_error_of([&] { read_all(data); }),
            at("a/2.png") + ": cannot open: No such file or directory");
}

TEST_F(ImageFolderTest, SaysWhichFilesItLeavesOut) {
  add("train/a/1.png", plain_png(2, 1, 1, 1));
  add("train/a/.DS_Store", plain_png(2, 1, 1, 1));
  const auto description = [&] { return open_folder(folder_.path()).description; };
  EXPECT_EQ(description().find("left out"), std::string::npos) << description();
  add("train/a/2.webp", plain_png(2, 1, 1, 1));
  EXPECT_TRUE(description().ends_with("1 classes; left out: " + at("train/a/2.webp") +
                                      ", which is not named as an image"))
      << description();
  add("test/a/1.png", plain_png(2, 1, 1, 1));
  add("test/a/deep/3.tif", plain_png(2, 1, 1, 1));
  EXPECT_TRUE(description().ends_with("; left out: 2 files that are not named as images, like " +
                                      at("train/a/2.webp")))
      << description();
}

TEST_F(ImageFolderTest, TakesTheFormThatIsKnownWhereNoneIsAskedFor) {
  add("a/1.png", plain_png(2, 1, 1, 1));
  add("b/2.png", plain_png(5, 4, 1, 1));
  const KnownData known{.image = {.resize = ImageSize{.width = 4, .height = 3}}};
  EXPECT_EQ(open_folder(folder_.path(), {.known = known}).train->shape(), (SampleShape{{3, 4}}));
  const ImageOptions asked{.resize = ImageSize{.width = 2, .height = 2}};
  EXPECT_EQ(open_folder(folder_.path(), {.image = asked, .known = known}).train->shape(),
            (SampleShape{{2, 2}}));
}

TEST_F(ImageFolderTest, SaysWhichFoldersItLeavesOut) {
  const auto description = [&] { return open_folder(folder_.path()).description; };
  for (const auto* part : {"Train", "TEST"}) {
    add(std::string(part) + "/a/1.png", plain_png(2, 1, 1, 1));
    add(std::string(part) + "/a/2.png", plain_png(2, 1, 1, 1));
  }
  add("__MACOSX/Train/a/._1.png", {});
  add("Train/__MACOSX/a/1.png", {});
  add("Train/a/__MACOSX/1.png", {});
  EXPECT_EQ(description(),
            folder_.path().string() + ": 2 training and 2 test images, 1x2 uint8, 1 classes");
  add("val/a/1.png", plain_png(2, 1, 1, 1));
  EXPECT_TRUE(description().ends_with("; left out: " + at("val"))) << description();
  const auto with_own = open_folder(folder_.path(), {.own_validation = true});
  ASSERT_TRUE(with_own.validation);
  EXPECT_EQ(with_own.validation->name(), at("val"));
  EXPECT_EQ(with_own.description, folder_.path().string() +
                                      ": 2 training, 1 validation and 2 test images, 1x2 uint8, 1 "
                                      "classes");
  add("more/a/1.png", plain_png(2, 1, 1, 1));
  EXPECT_TRUE(description().ends_with("; left out: " + at("more") + " and 1 more"));
}

TEST_F(ImageFolderTest, TakesNoSplitForAClass) {
  add("train/cat.0.png", plain_png(2, 1, 1, 1));
  add("test/1.png", plain_png(2, 1, 1, 1));
  EXPECT_EQ(data_error_of([&] { (void)open_folder(folder_.path()); }),
            at("train") +
                ": expected a sub-folder of images for each class, found images that no "
                "folder says the class of");
  // A vehicle among others.
  add("bus/1.png", plain_png(2, 1, 1, 1));
  EXPECT_EQ(open_folder(folder_.path()).train->class_names(),
            (std::vector<std::string>{"bus", "test", "train"}));
}

TEST_F(ImageFolderTest, TakesClassesThatAreKnown) {
  add("cat/1.png", plain_png(2, 1, 1, 1));
  add("dog/1.png", plain_png(2, 1, 1, 2));
  KnownData known{.class_names = {"ant", "cat", "cow", "dog"}};
  const auto opened = open_folder(folder_.path(), {.known = known}).train;
  EXPECT_EQ(opened->class_names(), known.class_names);
  EXPECT_EQ(read_all(*opened).second, (std::vector<std::int32_t>{1, 3}));
  known.class_names.pop_back();
  EXPECT_NE(data_error_of([&] {
              (void)open_folder(folder_.path(), {.known = known});
            }).find("dog: expected one of the 3 classes of the training set"),
            std::string::npos);
}

TEST_F(ImageFolderTest, OpensTrainAndTestParts) {
  for (const auto* part : {"train", "val"}) {
    add(std::string(part) + "/cat/1.png", plain_png(4, 3, 3, 5));
    add(std::string(part) + "/dog/1.png", plain_png(4, 3, 3, 6));
  }
  add("train/ant/1.png", plain_png(4, 3, 1, 7));
  const auto opened = open_folder(folder_.path());
  ASSERT_TRUE(opened.test);
  EXPECT_EQ(opened.train->size(), 3U);
  EXPECT_EQ(opened.test->size(), 2U);
  EXPECT_EQ(read_all(*opened.test).second, (std::vector<std::int32_t>{1, 2}))
      << "the training set's labels, though there is no ant";
  EXPECT_EQ(opened.description,
            folder_.path().string() + ": 3 training and 2 test images, 3x4x3 uint8, 3 classes");
  add("val/eel/1.png", plain_png(4, 3, 3, 6));
  EXPECT_EQ(
      error_of(),
      at("val/eel") + ": expected one of the 3 classes of the training set, found another class");
}

TEST_F(ImageFolderTest, MakesAllImagesOfOneSizeAndKind) {
  add("a/1.png", plain_png(10, 6, 1, 100));
  add("b/1.bmp", test::bmp_of(7, 9, ByteVector(7 * 9 * 3, std::byte{200})));
  add("b/2.jpg", test::jpeg_of(64, 48, TJPF_RGB, ByteVector(64 * 48 * 3, std::byte{50})));
  const ImageFolder gray(folder_.path(),
                         {.resize = ImageSize{4, 2}, .channels = ImageChannels::kGray});
  EXPECT_EQ(gray.shape(), (SampleShape{{2, 4}}));
  auto [samples, labels] = read_all(gray);
  EXPECT_EQ(samples[0], std::byte{100});
  EXPECT_EQ(samples[8], std::byte{200});
  EXPECT_EQ(samples[16], std::byte{50});
  const ImageFolder as_stored(folder_.path(), {.resize = ImageSize{4, 2}});
  EXPECT_EQ(as_stored.shape(), (SampleShape{{2, 4, 3}})) << "one is in colour";
  EXPECT_EQ(as_stored.options().channels, ImageChannels::kRgb);
}

TEST_F(ImageFolderTest, NamesTwoImagesOfDifferentSizes) {
  add("a/1.png", plain_png(10, 6, 1, 1));
  add("b/2.png", plain_png(10, 7, 1, 1));
  EXPECT_EQ(error_of(), at("b/2.png") + ": expected an image of 10x6, as " + at("a/1.png") +
                            " is (--resize WxH makes all of one size), found 10x7");
}

TEST_F(ImageFolderTest, NamesTheFirstImageWhoseHeaderIsWrongWhoeverReadIt) {
  const auto image = [](int i) { return "a/" + std::to_string(100 + i) + ".png"; };
  for (int i = 0; i < 90; ++i) add(image(i), plain_png(3, 2, 1, i));
  for (int i = 40; i < 80; ++i) add(image(i), make_bytes("this is no image at all"));
  EXPECT_TRUE(error_of().starts_with(at(image(40)) + ": expected a PNG, JPEG")) << error_of();
  add(image(39), plain_png(4, 2, 1, 1));
  EXPECT_TRUE(error_of().starts_with(at(image(39)) + ": expected an image of 3x2")) << error_of();
}

TEST_F(ImageFolderTest, NamesATestImageUnlikeTheTrainingImages) {
  add("train/a/1.png", plain_png(3, 3, 1, 1));
  const auto odd = add("test/a/2.png", plain_png(4, 3, 1, 1));
  EXPECT_EQ(error_of(), at("test/a/2.png") +
                            ": expected an image of 3x3, as the training images are (--resize WxH "
                            "makes all of one size), found 4x3");
  EXPECT_EQ(error_of({.channels = ImageChannels::kGray}), error_of());
  EXPECT_EQ(open_folder(folder_.path(), {.image = {.resize = ImageSize{2, 2}}}).test->shape(),
            (SampleShape{{2, 2}}));
  test::write_bytes(odd, plain_png(3, 3, 3, 1));
  const auto colour = at("test/a/2.png") +
                      ": expected a grey image, as the training images are (--gray or --rgb makes "
                      "all of one kind), found one in colour";
  EXPECT_EQ(error_of(), colour);
  EXPECT_EQ(error_of({.resize = ImageSize{2, 2}}), colour);
  EXPECT_EQ(open_folder(folder_.path(), {.image = {.channels = ImageChannels::kRgb}}).test->shape(),
            (SampleShape{{3, 3, 3}}));
  EXPECT_EQ(
      open_folder(folder_.path(), {.image = {.channels = ImageChannels::kGray}}).test->shape(),
      (SampleShape{{3, 3}}));
  add("train/a/1.png", plain_png(3, 3, 3, 1));
  test::write_bytes(odd, plain_png(3, 3, 1, 7));
  EXPECT_EQ(read_all(*open_folder(folder_.path()).test).first, ByteVector(27, std::byte{7}))
      << "grey is widened, as within the training set";
}

TEST_F(ImageFolderTest, IgnoresHiddenAndOtherFiles) {
  add("a/1.png", plain_png(2, 2, 1, 1));
  add("a/.2.png", make_bytes("x"));
  add("a/notes.txt", make_bytes("x"));
  add(".cache/1.png", make_bytes("x"));
  add("README.md", make_bytes("x"));
  EXPECT_EQ(open_folder(folder_.path()).train->size(), 1U);
}

TEST_F(ImageFolderTest, NamesAClassWithoutImages) {
  add("a/1.png", plain_png(2, 2, 1, 1));
  add("b/notes.txt", make_bytes("x"));
  EXPECT_EQ(error_of(),
            at("b") +
                ": expected images of a class (.png, .jpg, .bmp, .gif, .tga, .ppm), found "
                "none");
}

TEST_F(ImageFolderTest, NamesLoopsOfSymbolicLinks) {
  add("a/1.png", plain_png(2, 2, 1, 1));
  fs::create_directory_symlink(folder_.path(), folder_ / "a" / "up");
  EXPECT_EQ(error_of(), at("a/up") +
                            ": expected a folder of images, found a symbolic link to a "
                            "folder that it is in");
  fs::remove(folder_ / "a" / "up");
  fs::create_symlink("self", folder_ / "a" / "self");
  EXPECT_EQ(error_of(), at("a/self") +
                            ": expected a file or folder, found a symbolic link to "
                            "itself");
  fs::remove(folder_ / "a" / "self");
  fs::create_directory_symlink("a", folder_ / "same");
  EXPECT_EQ(open_folder(folder_.path()).train->classes(), 2U)
      << "no loop: two names for one folder";
}

TEST_F(ImageFolderTest, NamesAnImageThatDoesNotDecode) {
  add("a/1.png", plain_png(2, 2, 1, 1));
  const auto broken = plain_png(20, 20, 1, 1);
  const auto path = add("a/2.png", ByteVector(broken.begin(), broken.begin() + 45));
  // Header sound, as is the head of the pixels' chunk, which newer stb looks at as well; rest gone:
  // known when it is read.
  const ImageFolder data(folder_.path(), {.resize = ImageSize{2, 2}});
  ByteVector sample(4);
  std::vector<std::int32_t> label(1);
  const std::vector<std::uint64_t> good{0};
  const std::vector<std::uint64_t> bad{1};
  data.read(good, sample, label);
  EXPECT_EQ(sample, make_bytes({1, 1, 1, 1}));
  EXPECT_TRUE(data_error_of([&] {
                data.read(bad, sample, label);
              }).starts_with(path.string() + ": byte 33: expected a PNG chunk"));
  EXPECT_TRUE(data_error_of([&] { (void)data.hash(); }).starts_with(path.string()));
  add("a/2.png", make_bytes("this is no image at all"));
  EXPECT_TRUE(error_of().starts_with(path.string() + ": expected a PNG, JPEG"));
}

TEST_F(ImageFolderTest, ChecksRoomAndIds) {
  add("a/1.png", plain_png(2, 2, 1, 1));
  const ImageFolder data(folder_.path());
  ByteVector sample(4);
  std::vector<std::int32_t> label(1);
  const std::vector<std::uint64_t> beyond{1};
  const std::vector<std::uint64_t> first{0};
  EXPECT_THROW(data.read(beyond, sample, label), std::out_of_range);
  EXPECT_THROW(data.read(first, std::span(sample).first(3), label), std::invalid_argument);
}

TEST_F(ImageFolderTest, HashIsOfTheContent) {
  for (int i = 0; i < 100; ++i) {
    add((i % 2 == 0 ? "a/" : "b/") + std::to_string(100 + i) + ".png", plain_png(3, 2, 1, i));
  }
  const auto hash = ImageFolder(folder_.path()).hash();
  EXPECT_EQ(hash.size(), 32U);
  fs::rename(folder_ / "b" / "101.png", folder_ / "b" / "102.png");
  EXPECT_EQ(ImageFolder(folder_.path()).hash(), hash) << "another name, the same order";
  add("b/199.png", plain_png(3, 2, 1, 200));
  EXPECT_NE(ImageFolder(folder_.path()).hash(), hash);
}

TEST_F(ImageFolderTest, MayBeReadByManyThreads) {
  for (int i = 0; i < 20; ++i) {
    add("a/" + std::to_string(100 + i) + ".jpg",
        test::jpeg_of(40, 30, TJPF_GRAY, ByteVector(40 * 30, static_cast<std::byte>(10 * i))));
  }
  const ImageFolder data(folder_.path(), {.resize = ImageSize{5, 5}});
  const auto expected = read_all(data);
  std::vector<std::pair<ByteVector, std::vector<std::int32_t>>> found(4);
  {
    std::vector<std::jthread> threads;
    threads.reserve(found.size());
    for (auto& all : found) threads.emplace_back([&] { all = read_all(data); });
  }
  for (const auto& all : found) EXPECT_EQ(all, expected);
}

TEST_F(ImageFolderTest, ReadsPhotos) {
  const auto photos = test::photos_folder();
  if (photos.empty()) GTEST_SKIP() << "no photos: set MILLRACE_PHOTOS_DIR";
  const auto opened = open_folder(
      photos, {.image = {.resize = ImageSize{32, 24}, .channels = ImageChannels::kRgb}});
  EXPECT_EQ(opened.train->shape(), (SampleShape{{24, 32, 3}}));
  const auto [samples, labels] = read_all(*opened.train);
  EXPECT_EQ(labels.back() + 1, static_cast<std::int32_t>(opened.train->classes()));
  // Pictures, not black rectangles.
  for (std::size_t i = 0; i < opened.train->size(); ++i) {
    const auto sample = std::span(samples).subspan(i * 24 * 32 * 3, 24 * 32 * 3);
    const auto [least, most] = std::ranges::minmax(sample);
    EXPECT_GT(std::to_integer<int>(most) - std::to_integer<int>(least), 60) << i;
  }
  EXPECT_NE(data_error_of([&] { (void)open_folder(photos); }).find("--resize WxH"),
            std::string::npos);
}

}  // namespace
}  // namespace millrace
