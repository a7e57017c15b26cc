#include "formats/parquet_images.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "formats/folder.h"
#include "tests/support/files.h"
#include "tests/support/images.h"
#include "tests/support/parquet_files.h"

namespace millrace {
namespace {

using test::bytes_field;
using test::ByteVector;
using test::data_error_of;
using test::number_field;
using test::ParquetField;
using test::ParquetForm;
using test::text_field;
using Fields = std::vector<ParquetField>;
using Labels32 = std::vector<std::int32_t>;
using Names = std::vector<std::string>;

constexpr std::string_view kClasses =
    R"({"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}})";

// A grey image of 3x2, its pixels `first`, first + 1, …
ByteVector image(int first) {
  ByteVector pixels;
  for (int i = 0; i < 6; ++i) pixels.push_back(static_cast<std::byte>(first + i));
  return test::png_of(3, 2, 1, pixels);
}

ParquetField images(std::string name = "image.bytes") {
  return bytes_field(std::move(name), {image(10), image(20), image(30)});
}
ParquetField paths() { return text_field("image.path", {"a.png", std::nullopt, "c.png"}); }
ParquetField labels(const std::string& name = "label") {
  return number_field<std::int64_t>(name, {1, 0, 1});
}
/// As Hugging Face's datasets store them.
Fields usual() { return {images(), paths(), labels()}; }

class ParquetImagesTest : public testing::Test {
 protected:
  using Files = std::vector<std::shared_ptr<const ParquetFile>>;

  std::shared_ptr<const ParquetFile> write(const Fields& fields, const ParquetForm& form = {},
                                           const std::string& name = "a.parquet") const {
    return std::make_shared<const ParquetFile>(
        test::write_bytes(folder_ / name, test::parquet_of(fields, form)));
  }
  ParquetImages open(const Fields& fields, const ParquetForm& form = {},
                     const ImageOptions& options = {}, const ReadTableOptions& of = {}) const {
    return {Files{write(fields, form)}, options, of};
  }
  std::string error_of(const Fields& fields, const ReadTableOptions& of = {}) const {
    const auto path = (folder_ / "a.parquet").string();
    const auto message = data_error_of([&] { (void)read_all(open(fields, {}, {}, of)); });
    EXPECT_TRUE(message.starts_with(path)) << message;
    return message.substr(std::min(message.size(), path.size()));
  }
  static ByteVector read_all(const Dataset& data) {
    std::vector<std::uint64_t> ids(data.size());
    std::iota(ids.begin(), ids.end(), std::uint64_t{0});
    return read(data, ids);
  }
  static ByteVector read(const Dataset& data, const std::vector<std::uint64_t>& ids) {
    ByteVector samples(ids.size() * data.sample_bytes());
    Labels32 labels(ids.size() * data.label_words());
    data.read(ids, samples, labels);
    return samples;
  }
  static Labels32 labels_of(const Dataset& data) {
    const auto labels = data.labels();
    return {labels.begin(), labels.end()};
  }

  test::TempFolder folder_;
};

TEST_F(ParquetImagesTest, AreReadWithTheirLabels) {
  const auto data = open(usual(), {.notes = {{"huggingface", std::string(kClasses)}}});
  EXPECT_EQ(data.size(), 3U);
  EXPECT_EQ(data.shape(), (SampleShape{{2, 3}}));
  EXPECT_EQ(data.dtype(), DType::kUInt8);
  EXPECT_EQ(data.classes(), 2U);
  EXPECT_EQ(data.class_names(), (Names{"cat", "dog"}));
  EXPECT_EQ(data.column_names().label, "label");
  EXPECT_TRUE(data.column_names().values.empty());
  EXPECT_EQ(data.name(), (folder_ / "a.parquet").string());
  EXPECT_EQ(data.labels_text(), "labels in column 3 (\"label\")");
  EXPECT_TRUE(data.left_out().empty());
  EXPECT_EQ(labels_of(data), (Labels32{1, 0, 1}));
  ByteVector samples(12);
  Labels32 labels(2);
  const std::vector<std::uint64_t> ids{2, 1};
  data.read(ids, samples, labels);
  EXPECT_EQ(labels, (Labels32{1, 0}));
  EXPECT_EQ(samples[0], std::byte{30});
  EXPECT_EQ(samples[11], std::byte{25});
  const std::vector<std::uint64_t> beyond{3, 0};
  EXPECT_THROW(data.read(beyond, samples, labels), std::out_of_range);
  EXPECT_TRUE(data.on_disk());
  EXPECT_EQ(data.hash().size(), 32U);
  EXPECT_THROW(ParquetImages({}, ImageOptions{}, {}), std::invalid_argument);
}

TEST_F(ParquetImagesTest, AreWhatDecodersMakeOfThem) {
  std::vector<ByteVector> files;
  for (int i = 0; i < 30; ++i) {
    ByteVector pixels;
    for (int k = 0; k < 5 * 4 * 3; ++k) pixels.push_back(static_cast<std::byte>(i * 7 + k * k));
    files.push_back(i % 2 == 0 ? test::png_of(5, 4, 3, pixels) : test::bmp_of(5, 4, pixels));
  }
  ParquetField field{.name = "img", .type = ParquetType::kBytes, .cells = {}};
  ParquetField classes{.name = "y", .type = ParquetType::kInt32, .cells = {}};
  for (const auto& file : files) {
    field.cells.emplace_back(file);
    classes.cells.emplace_back(test::plain(static_cast<std::int32_t>(field.cells.size() % 3)));
  }
  const ImageOptions options{.resize = ImageSize{3, 3}, .channels = ImageChannels::kRgb};
  std::string hash;
  for (const auto codec : {ParquetCodec::kNone, ParquetCodec::kSnappy, ParquetCodec::kZstd}) {
    for (const int version : {1, 2}) {
      for (const bool dictionaries : {false, true}) {
        for (const std::size_t rows : {1U, 7U, 100U}) {
          const auto data = open({classes, field},
                                 {.codec = codec,
                                  .version = version,
                                  .dictionaries = dictionaries,
                                  .page_rows = rows,
                                  .group_rows = 11},
                                 options);
          const std::vector<std::uint64_t> ids{29, 3, 3, 17, 0, 28, 10, 11, 12};
          const auto samples = read(data, ids);
          for (std::size_t i = 0; i < ids.size(); ++i) {
            const auto expected = decode_image(files[ids[i]], "x", options).pixels;
            EXPECT_TRUE(std::ranges::equal(std::span(samples).subspan(i * 27, 27), expected)) << i;
          }
          if (hash.empty()) hash = data.hash();
          EXPECT_EQ(data.hash(), hash);
          // Runs are of all samples, in order.
          std::uint64_t next = 0;
          for (const auto& run : data.runs()) {
            EXPECT_EQ(run.first, next);
            EXPECT_GT(run.count, 0U);
            EXPECT_LE(run.count, rows);
            next += run.count;
            data.expect(run.first, run.count);
            data.forget(run.first, run.count);
          }
          EXPECT_EQ(next, 30U);
          data.expect(29, 100);
          data.forget(30, 1);
        }
      }
    }
  }
}

TEST_F(ParquetImagesTest, AreFoundInAColumnOfBytes) {
  const auto leaf = [&](const Fields& fields, const Names& dropped = {}) {
    return image_leaf(*write(fields), dropped);
  };
  EXPECT_EQ(leaf(usual()), 0U);
  EXPECT_EQ(leaf({labels(), images("img")}), 1U) << "by what it begins with";
  const auto junk = bytes_field("junk", {test::make_bytes("a"), ByteVector(), ByteVector()});
  EXPECT_EQ(leaf({junk, images("img"), images("image.bytes"), paths()}), 2U) << "structs first";
  EXPECT_EQ(leaf({junk, images("img"), labels()}), 1U);
  EXPECT_EQ(leaf({junk, images("img"), images("other")}, {"img"}), 2U);
  EXPECT_EQ(leaf({junk, labels()}), std::nullopt);
  EXPECT_EQ(leaf({images("img").as(0), labels()}), std::nullopt) << "text";
  EXPECT_EQ(leaf({images("img").in_lists_of({1}), labels()}), std::nullopt) << "a list";
  auto missing = images("img");
  missing.cells[0].reset();
  EXPECT_EQ(leaf({missing, labels()}), 0U) << "the first that is there";
}

TEST_F(ParquetImagesTest, HaveTheOnlyColumnThatMayBeLabels) {
  const auto kinds = text_field("kind", {"dog", "cat", "dog"});
  const auto data = open({images(), paths(), kinds});
  EXPECT_EQ(data.class_names(), (Names{"cat", "dog"}));
  EXPECT_EQ(labels_of(data), (Labels32{1, 0, 1}));
  const auto asked = open({images(), paths(), kinds, labels("n")}, {}, {}, {.label_column = "n"});
  EXPECT_EQ(labels_of(asked), (Labels32{1, 0, 1}));
  EXPECT_EQ(asked.left_out(), (Names{"kind"}));
  EXPECT_EQ(error_of({images(), paths(), kinds, labels("n")}),
            ": expected a column of labels (--label-column says which), found none called label, "
            "class, target or y");
  EXPECT_EQ(error_of({images(), paths()}),
            ": expected a column of labels (--label-column says which), found none called label, "
            "class, target or y");
  EXPECT_EQ(error_of(usual(), {.label_column = "kind"}),
            ": expected a column \"kind\" for labels, found none of that name");
  EXPECT_EQ(error_of(usual(), {.label_column = "image.bytes"}),
            ": expected labels in column 1 (\"image.bytes\"), found bytes");
  EXPECT_EQ(error_of({images(), paths(), labels().in_lists_of({1})}, {.label_column = "label"}),
            ": expected labels in column 3 (\"label\"), found lists");
}

TEST_F(ParquetImagesTest, MayHaveTargets) {
  const auto data = open({images("img"), number_field<double>("y1", {0.5, 1, 2}),
                          number_field<double>("y2", {3, 4, 5})},
                         {}, {}, {.task = Task::kRegression});
  EXPECT_EQ(data.targets(), 2U);
  EXPECT_EQ(data.classes(), 0U);
  EXPECT_EQ(data.column_names().targets, (Names{"y1", "y2"}));
  EXPECT_EQ(target_of(labels_of(data)[1]), 3.0F);
  EXPECT_EQ(data.labels_text(), "2 targets, the first in column 2 (\"y1\")");
}

TEST_F(ParquetImagesTest, ComeFromSeveralFiles) {
  const auto first = write(usual(), {.page_rows = 2}, "0.parquet");
  const auto none = write({bytes_field("image.bytes", {}), text_field("image.path", {}),
                           number_field<std::int64_t>("label", {})},
                          {}, "1.parquet");
  const auto second =
      write({number_field<std::int32_t>("label", {2}), bytes_field("image.bytes", {image(40)}),
             text_field("image.path", {"x"})},
            {}, "2.parquet");
  const ParquetImages data(Files{first, none, second}, ImageOptions{}, {});
  EXPECT_EQ(data.size(), 4U);
  EXPECT_EQ(data.name(), folder_.path().string());
  EXPECT_EQ(labels_of(data), (Labels32{1, 0, 1, 2}));
  EXPECT_EQ(read(data, {3})[0], std::byte{40});
  const auto other = write({images("img"), labels()}, {}, "3.parquet");
  EXPECT_EQ(data_error_of([&] {
              ParquetImages(Files{first, other}, ImageOptions{}, {});
            }),
            (folder_ / "3.parquet").string() +
                ": expected images in a column \"image.bytes\", found none of that name");
  const auto unlabelled = write({images(), paths()}, {}, "3.parquet");
  EXPECT_EQ(data_error_of([&] {
              ParquetImages(Files{first, unlabelled}, ImageOptions{}, {});
            }),
            (folder_ / "3.parquet").string() + ": expected labels in a column \"label\", as " +
                (folder_ / "0.parquet").string() + " has, found none");
  const auto table = write({labels(), labels("n")}, {}, "3.parquet");
  EXPECT_EQ(data_error_of([&] {
              ParquetImages(Files{first, table}, ImageOptions{}, {});
            }),
            (folder_ / "3.parquet").string() +
                ": expected images in a column \"image.bytes\", found none of that name");
  EXPECT_EQ(data_error_of([&] { ParquetImages(Files{none}, ImageOptions{}, {}); }),
            (folder_ / "1.parquet").string() + ": expected images, found no rows");
}

TEST_F(ParquetImagesTest, AreNamedWhereTheyAreMissingOrBroken) {
  auto missing = images();
  missing.cells[1].reset();
  const auto error = error_of({missing, paths(), labels()});
  EXPECT_TRUE(error.starts_with(": sample 1: expected ")) << error;
  // Where size and channels are given, headers are not read.
  const ImageOptions given{.resize = ImageSize{3, 2}, .channels = ImageChannels::kGray};
  const auto data = open({missing, paths(), labels()}, {}, given);
  EXPECT_EQ(data_error_of([&] { (void)read(data, {1}); }),
            (folder_ / "a.parquet").string() + ": sample 1: expected an image, found none");
  EXPECT_EQ(read(data, {2})[0], std::byte{30});
  auto broken = images();
  broken.cells[2] = test::make_bytes("no image");
  EXPECT_TRUE(error_of({broken, paths(), labels()}).starts_with(": sample 2: "));
  auto other = images();
  other.cells[2] = test::png_of(2, 3, 1, ByteVector(6));
  EXPECT_EQ(error_of({other, paths(), labels()}),
            ": sample 2: expected an image of 3x2, as " + (folder_ / "a.parquet").string() +
                ": sample 0 is (--resize WxH makes all of one size), found 2x3");
}

TEST_F(ParquetImagesTest, OpenThoughSomeAreBroken) {
  auto broken = images();
  broken.cells[0] = test::make_bytes("no image");
  const auto file = write({broken, paths(), labels()}, {.page_rows = 1});
  const ParquetImages data(Files{file}, ImageOptions{}, ReadTableOptions{},
                           ParquetImages::Headers::kAnyReadable);
  EXPECT_EQ(data.shape(), (SampleShape{{2, 3}}));
  EXPECT_THROW((void)read(data, {0}), DataError);
  EXPECT_EQ(read(data, {1})[0], std::byte{20});
  for (auto& cell : broken.cells) cell = test::make_bytes("no image");
  const auto none = write({broken, paths(), labels()});
  EXPECT_TRUE(data_error_of([&] {
                ParquetImages(Files{none}, ImageOptions{}, ReadTableOptions{},
                              ParquetImages::Headers::kAnyReadable);
              }).starts_with((folder_ / "a.parquet").string() + ": sample 0: "));
}

TEST_F(ParquetImagesTest, OpenThoughAPageIsBroken) {
  const auto sound = test::parquet_of(usual(), {.page_rows = 1, .checksums = true});
  auto bytes = sound;
  const auto second = image(20);
  *std::search(bytes.begin(), bytes.end(), second.begin(), second.end()) ^= std::byte{1};
  const auto file =
      std::make_shared<const ParquetFile>(test::write_bytes(folder_ / "a.parquet", bytes));
  const auto message = data_error_of([&] { ParquetImages(Files{file}, ImageOptions{}, {}); });
  EXPECT_NE(message.find("expected a page with checksum"), std::string::npos) << message;
  const ParquetImages data(Files{file}, ImageOptions{}, ReadTableOptions{},
                           ParquetImages::Headers::kAnyReadable);
  EXPECT_THROW((void)read(data, {1}), DataError);
  EXPECT_EQ(read(data, {2})[0], std::byte{30});
}

TEST_F(ParquetImagesTest, AreMadeAsTrainingImagesAre) {
  const ParquetImages train(
      Files{write({bytes_field("image.bytes", {test::png_of(3, 2, 3, ByteVector(18))}),
                   number_field<std::int32_t>("label", {1})},
                  {}, "train.parquet")},
      ImageOptions{}, {});
  EXPECT_EQ(train.shape(), (SampleShape{{2, 3, 3}}));
  const ReadTableOptions options{.classes = 2};
  const ParquetImages test(Files{write(usual(), {}, "test.parquet")}, train, options);
  EXPECT_EQ(test.shape(), train.shape()) << "grey ones become RGB";
  EXPECT_EQ(test.classes(), 2U);
  const auto other = write({bytes_field("image.bytes", {test::png_of(2, 2, 1, ByteVector(4))}),
                            number_field<std::int32_t>("label", {1})},
                           {}, "test.parquet");
  EXPECT_EQ(data_error_of([&] { ParquetImages(Files{other}, train, options); }),
            (folder_ / "test.parquet").string() +
                ": sample 0: expected an image of 3x2, as the training images are (--resize WxH "
                "makes all of one size), found 2x2");
}

TEST_F(ParquetImagesTest, MayBeWithoutLabels) {
  const auto data = open({images(), paths()}, {}, {}, {.unlabelled_values = 6});
  EXPECT_EQ(labels_of(data), (Labels32{0, 0, 0}));
  EXPECT_EQ(data.classes(), 1U);
  EXPECT_EQ(read(data, {1})[0], std::byte{20});
}

TEST_F(ParquetImagesTest, AreReadByManyThreads) {
  const auto data = open(usual(), {.codec = ParquetCodec::kGzip, .page_rows = 1});
  const auto expected = read_all(data);
  std::vector<ByteVector> found(4);
  std::vector<std::thread> threads;
  for (auto& samples : found) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) samples = read_all(data);
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& samples : found) EXPECT_EQ(samples, expected);
}

TEST_F(ParquetImagesTest, OpenAsFolders) {
  write({images(), paths(), labels(), text_field("note", {"x", "y", "z"})}, {},
        "train-00000-of-00001.parquet");
  write(usual(), {}, "test-00000-of-00001.parquet");
  const auto opened = open_folder(folder_.path());
  EXPECT_EQ(opened.description,
            folder_.path().string() +
                ": 3 training and 3 test images, 2x3 uint8, 2 classes; labels in column 3 "
                "(\"label\"); columns left out: \"note\"");
  EXPECT_EQ(opened.columns, DataFolder::Columns::kLabels);
  const auto streamed = open_folder(folder_.path(), {.in_blocks = true});
  EXPECT_EQ(streamed.train->hash(), opened.train->hash());
  EXPECT_NE(dynamic_cast<const BlockDataset*>(streamed.train.get()), nullptr);
}

TEST_F(ParquetImagesTest, AreReadOrRefusedWithAnyOtherByte) {
  const auto sound = test::parquet_of(usual(), {.version = 2, .page_rows = 2});
  const auto path = folder_ / "a.parquet";
  const auto open_and_read = [&] {
    const ParquetImages data(Files{std::make_shared<const ParquetFile>(path)}, ImageOptions{}, {});
    (void)read_all(data);
  };
  for (std::size_t at = 0; at < sound.size(); ++at) {
    auto bytes = sound;
    bytes[at] ^= std::byte{0xFF};
    test::write_bytes(path, bytes);
    try {
      open_and_read();
    } catch (const DataError&) {
    }
    test::write_bytes(path, std::span(sound).first(at));
    EXPECT_THROW(open_and_read(), DataError) << at;
  }
}

}  // namespace
}  // namespace millrace
