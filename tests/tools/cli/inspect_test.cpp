#include "tools/cli/inspect.h"

#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>

#include "formats/safetensors.h"
#include "tests/support/files.h"
#include "tests/support/idx_files.h"
#include "tests/support/npy_files.h"

namespace millrace {
namespace {

using test::data_error_of;
using test::small_images;
using test::small_labels;
using test::TempFolder;
using test::write_bytes;

TEST(Inspect, AFileThatIsADataSet) {
  const TempFolder folder;
  write_bytes(folder / "set.npz", test::zip_of({{"x.npy", test::npy_images(4), true, false},
                                                {"y.npy", test::npy_labels(4, 3), true, false}}));
  const auto found = inspect(folder / "set.npz");
  EXPECT_EQ(found.at("kind"), "data set");
  EXPECT_EQ(found.at("train").at("samples"), 4);
  EXPECT_EQ(found.at("train").at("statistics").at("max"), 23.0);
}

TEST(Inspect, ADataFolder) {
  const TempFolder folder;
  write_bytes(folder / "train-images-idx3-ubyte", small_images(4));
  write_bytes(folder / "train-labels-idx1-ubyte", small_labels(4, 3));
  const auto found = inspect(folder.path());
  EXPECT_EQ(found.at("kind"), "data set");
  EXPECT_TRUE(found.at("test").is_null());
  const auto& train = found.at("train");
  EXPECT_EQ(train.at("samples"), 4);
  EXPECT_EQ(train.at("shape"), nlohmann::ordered_json({2, 3}));
  EXPECT_EQ(train.at("dtype"), "uint8");
  EXPECT_EQ(train.at("classes"), 3);
  EXPECT_EQ(train.at("histogram"), nlohmann::ordered_json({2, 1, 1}));
  EXPECT_EQ(train.at("statistics").at("min"), 0.0);
  EXPECT_EQ(train.at("statistics").at("max"), 23.0);
  EXPECT_EQ(train.at("statistics").at("mean"), 11.5);
  const std::string text = render_inspection(found);
  EXPECT_NE(text.find("train: 4 samples of 2x3 uint8, 3 classes\n"), std::string::npos) << text;
  EXPECT_NE(text.find("50.0 %"), std::string::npos) << text;
}

TEST(Inspect, ImagesAsTheyAreAskedFor) {
  const TempFolder folder;
  const auto images = write_bytes(folder / "train-images-idx3-ubyte", small_images(4));
  write_bytes(folder / "train-labels-idx1-ubyte", small_labels(4, 3));
  const OpenOptions options{.image = {.resize = ImageSize{5, 4}, .channels = ImageChannels::kRgb}};
  for (const auto& path : {folder.path(), images}) {
    const auto found = inspect(path, options);
    EXPECT_EQ(found.at("train").at("shape"), nlohmann::ordered_json({4, 5, 3}));
    EXPECT_EQ(found.at("train").at("storage").at("files"), 2);
  }
  const auto other = write_bytes(folder / "numbers", small_labels(4, 3));
  EXPECT_NE(data_error_of([&] { (void)inspect(other, options); }).find("expected a folder"),
            std::string::npos)
      << "never left out silently";
}

TEST(Inspect, TheColumnOfLabelsThatIsAskedFor) {
  const TempFolder folder;
  const auto table = write_bytes(folder / "train.csv", test::make_bytes("a,b,c\n1,2,3\n4,0,6\n"));
  EXPECT_EQ(inspect(table).at("train").at("classes"), 5);
  EXPECT_EQ(inspect(table, {.label_column = "b"}).at("train").at("classes"), 3);
  EXPECT_EQ(inspect(folder.path(), {.label_column = "3"}).at("train").at("classes"), 7);
  const auto images = write_bytes(folder / "train-images-idx3-ubyte", small_images(4));
  write_bytes(folder / "train-labels-idx1-ubyte", small_labels(4, 3));
  for (const auto& path : {images, folder.path()}) {
    EXPECT_EQ(data_error_of([&] { (void)inspect(path, {.label_column = "b"}); }),
              images.string() +
                  ": expected a table, whose column of labels is asked for "
                  "(--label-column), found data of another form");
  }
}

TEST(Inspect, TheNamesOfClassesAndWhatIsLeftOut) {
  const TempFolder folder;
  write_bytes(folder / "train.csv", test::make_bytes("a,kind\n1,rose\n2,lily\n3,rose\n"));
  write_bytes(folder / "more.csv", test::make_bytes("a,kind\n1,rose\n"));
  const auto found = inspect(folder.path());
  EXPECT_EQ(found.at("train").at("class_names"), nlohmann::ordered_json({"lily", "rose"}));
  const std::string text = render_inspection(found);
  const auto left_out = "; left out: " + (folder / "more.csv").string() + "\ntrain: 3 samples of";
  EXPECT_NE(text.find(left_out), std::string::npos) << text;
  EXPECT_NE(text.find("         1          2  66.7 %  rose\n"), std::string::npos) << text;
}

TEST(Inspect, NotesClassesWithoutASample) {
  const TempFolder folder;
  auto labels = small_labels(4, 3);
  labels.back() = std::byte{200};
  write_bytes(folder / "train-images-idx3-ubyte", small_images(4));
  write_bytes(folder / "train-labels-idx1-ubyte", labels);
  const auto found = inspect(folder.path());
  EXPECT_EQ(found.at("train").at("notes"),
            nlohmann::ordered_json({"classes 3 to 199 of 201 have no sample"}));
  const std::string text = render_inspection(found);
  EXPECT_NE(text.find("  note: classes 3 to 199 of 201 have no sample\n"), std::string::npos)
      << text;
}

TEST(Inspect, AnIdxFile) {
  const TempFolder folder;
  const auto labels = inspect(write_bytes(folder / "labels", small_labels(5, 2)));
  EXPECT_EQ(labels.at("kind"), "idx");
  EXPECT_EQ(labels.at("shape"), nlohmann::ordered_json({5}));
  EXPECT_EQ(labels.at("histogram").at("0"), 3);
  EXPECT_EQ(labels.at("histogram").at("1"), 2);
  const auto images = inspect(write_bytes(folder / "images", small_images(2)));
  EXPECT_EQ(images.at("elements"), 12);
  EXPECT_FALSE(images.contains("histogram"));
  EXPECT_NE(render_inspection(images).find("IDX, 2x2x3 uint8"), std::string::npos);
}

TEST(Inspect, ASafetensorsFile) {
  const TempFolder folder;
  const std::array<float, 4> values{-1.0F, 0.0F, 1.0F, 4.0F};
  const std::array<TensorView, 1> tensors{
      TensorView{"0.weight", DType::kFloat32, {2, 2}, std::as_bytes(std::span(values))}};
  write_safetensors(folder / "m.safetensors", tensors, {{"made", "by\na test"}});
  const auto found = inspect(folder / "m.safetensors");
  EXPECT_EQ(found.at("kind"), "safetensors");
  EXPECT_EQ(found.at("verified"), true);
  EXPECT_EQ(found.at("metadata").at("made"), "by\na test");
  EXPECT_EQ(found.at("tensors").at(0).at("shape"), nlohmann::ordered_json({2, 2}));
  EXPECT_EQ(found.at("tensors").at(0).at("statistics").at("mean"), 1.0);
  const std::string text = render_inspection(found);
  EXPECT_NE(text.find("0.weight: 2x2 float32, -1 to 4, mean 1,"), std::string::npos) << text;
  EXPECT_NE(text.find("made = by\\na test"), std::string::npos) << text;
}

TEST(Inspect, NamesWhatIsNothingOfThese) {
  const TempFolder folder;
  const auto path = write_bytes(folder / "x", test::make_bytes("hello"));
  EXPECT_NE(data_error_of([&] { inspect(path); }).find(path.string()), std::string::npos);
  EXPECT_NE(data_error_of([&] { inspect(folder / "none"); }), "");
  EXPECT_NE(data_error_of([&] { inspect(folder.path()); }), "");
}

}  // namespace
}  // namespace millrace
