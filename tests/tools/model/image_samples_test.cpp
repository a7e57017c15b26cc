#include "tools/model/image_samples.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "formats/error.h"
#include "tests/support/files.h"

namespace millrace {
namespace {

// A binary PNM file: grey or, of three values a pixel, RGB.
void write_pnm(const std::filesystem::path& path, int width, int height,
               const std::vector<unsigned char>& values) {
  std::ofstream out(path, std::ios::binary);
  const bool grey =
      values.size() == static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  out << (grey ? "P5 " : "P6 ") << width << ' ' << height << " 255\n";
  out.write(reinterpret_cast<const char*>(values.data()),
            static_cast<std::streamsize>(values.size()));
}

TrainedModel model_of(const std::vector<std::uint64_t>& shape,
                      InputType input = InputType::kUInt8) {
  TrainedModel model;
  model.path = "m.safetensors";
  model.spec.input = input;
  model.spec.features = 1;
  for (const std::uint64_t dim : shape) model.spec.features *= static_cast<std::uint32_t>(dim);
  model.checkpoint.state.options.sample.shape = shape;
  model.checkpoint.state.options.sample.input = input;
  return model;
}

std::string refusal(const std::vector<std::uint64_t>& shape, InputType input = InputType::kUInt8) {
  try {
    image_layout(model_of(shape, input));
  } catch (const DataError& error) {
    return error.what();
  }
  return "accepted";
}

std::vector<int> sample_of(const std::filesystem::path& path, const ImageLayout& layout,
                           Invert invert) {
  std::vector<std::byte> sample(std::size_t{layout.width} * layout.height * layout.channels);
  read_image_sample(path, layout, invert, sample);
  std::vector<int> values;
  for (const std::byte value : sample) values.push_back(std::to_integer<int>(value));
  return values;
}

TEST(ImageLayouts, KnowTheShapesOfPictures) {
  const ImageLayout grey = image_layout(model_of({28, 20}));
  EXPECT_EQ(grey.height, 28U);
  EXPECT_EQ(grey.width, 20U);
  EXPECT_EQ(grey.channels, 1U);
  EXPECT_FALSE(image_layout(model_of({32, 30, 3})).planes);
  EXPECT_EQ(image_layout(model_of({32, 30, 3})).width, 30U);
  EXPECT_TRUE(image_layout(model_of({3, 32, 30})).planes);
  EXPECT_EQ(image_layout(model_of({3, 32, 30})).channels, 3U);
  EXPECT_NE(refusal({10}).find("a model of pictures"), std::string::npos);
  EXPECT_NE(refusal({28, 28}, InputType::kFloat32).find("one of float32"), std::string::npos);
}

TEST(ImageSamples, TurnDarkOnLightByThemselves) {
  const test::TempFolder folder;
  const auto path = folder / "a.pgm";
  std::vector<unsigned char> pixels(64, 250);
  for (const std::size_t i : {27U, 28U, 35U, 36U}) pixels[i] = 10;
  write_pnm(path, 8, 8, pixels);
  const ImageLayout layout{8, 8, 1, false};
  EXPECT_EQ(sample_of(path, layout, Invert::kAuto)[0], 5);
  EXPECT_EQ(sample_of(path, layout, Invert::kAuto)[27], 245);
  EXPECT_EQ(sample_of(path, layout, Invert::kOff)[0], 250);
  for (unsigned char& pixel : pixels) pixel = static_cast<unsigned char>(255 - pixel);
  write_pnm(path, 8, 8, pixels);
  EXPECT_EQ(sample_of(path, layout, Invert::kAuto)[0], 5);
  EXPECT_EQ(sample_of(path, layout, Invert::kOn)[0], 250);
}

TEST(ImageSamples, StayDarkOnLightForAModelThatKnowsSuch) {
  TrainedModel model = model_of({28, 28});
  EXPECT_EQ(invert_for(model, Invert::kAuto), Invert::kAuto) << "not recorded";
  model.checkpoint.state.options.sample.dark_on_light = 0.01;
  EXPECT_EQ(invert_for(model, Invert::kAuto), Invert::kAuto);
  for (const double share : {0.1, 1.0}) {
    model.checkpoint.state.options.sample.dark_on_light = share;
    EXPECT_EQ(invert_for(model, Invert::kAuto), Invert::kOff);
    EXPECT_EQ(invert_for(model, Invert::kOn), Invert::kOn);
  }
}

TEST(ImageSamples, ComeInPlanesWhereTheModelHasThem) {
  const test::TempFolder folder;
  write_pnm(folder / "a.ppm", 2, 1, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(sample_of(folder / "a.ppm", {2, 1, 3, false}, Invert::kAuto),
            (std::vector<int>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(sample_of(folder / "a.ppm", {2, 1, 3, true}, Invert::kAuto),
            (std::vector<int>{1, 4, 2, 5, 3, 6}));
}

TEST(ImagesOf, TakesFilesAsTheyAreAndFoldersByName) {
  const test::TempFolder folder;
  write_pnm(folder / "b.pgm", 1, 1, {1});
  write_pnm(folder / "a.pgm", 1, 1, {1});
  write_pnm(folder / "._a.pgm", 1, 1, {1});
  std::ofstream(folder / "notes.txt") << "x";
  const std::string all = folder.path().string();
  const auto images = images_of({(folder / "b.pgm").string(), all});
  ASSERT_EQ(images.size(), 3U);
  EXPECT_EQ(images[0].filename(), "b.pgm");
  EXPECT_EQ(images[1].filename(), "a.pgm");
  EXPECT_EQ(images[2].filename(), "b.pgm");
  std::filesystem::create_directories(folder / "aa" / "deep");
  write_pnm(folder / "aa" / "deep" / "c.pgm", 1, 1, {1});
  EXPECT_EQ(images_of({all}), (std::vector<std::filesystem::path>{
                                  folder / "a.pgm", folder / "aa/deep/c.pgm", folder / "b.pgm"}));
  const test::TempFolder empty;
  EXPECT_THROW(images_of({empty.path().string()}), DataError);
}

}  // namespace
}  // namespace millrace
