#include "formats/shard_manifest.h"

#include <gtest/gtest.h>

#include "tests/support/files.h"

namespace millrace {
namespace {

using test::data_error_of;

ShardFile file(const std::string& name, char digit) {
  return {
      .name = name, .bytes = 100, .hash = std::string(32, digit), .table = std::string(32, 'b')};
}

ShardManifest sample() {
  ShardManifest manifest{
      .dtype = DType::kInt16, .shape = {2, 3}, .classes = 2, .class_names = {"cat", "d\"og"}};
  manifest.train = {.samples = 7,
                    .hash = std::string(32, '0'),
                    .shards = {{.samples = 3, .images = file("a", '1'), .labels = file("b", '2')},
                               {.samples = 4, .images = file("c", '3'), .labels = file("d", '4')}}};
  manifest.test = {.samples = 1,
                   .hash = std::string(32, 'f'),
                   .shards = {{.samples = 1, .images = file("e", '5'), .labels = file("f", '6')}}};
  return manifest;
}

/// The message for the sample's text with `from` in place of `to`.
std::string error_with(const std::string& from, const std::string& to) {
  auto text = render_manifest(sample());
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
  return data_error_of([&] { parse_manifest("m", text); });
}

TEST(ShardManifest, ComesBackAsItWasWritten) {
  auto manifest = sample();
  EXPECT_EQ(parse_manifest("m", render_manifest(manifest)), manifest);
  manifest.validation = {
      .samples = 2,
      .hash = std::string(32, 'e'),
      .shards = {{.samples = 2, .images = file("g", '7'), .labels = file("h", '8')}}};
  EXPECT_EQ(parse_manifest("m", render_manifest(manifest)), manifest);
  manifest.test.reset();
  manifest.class_names.clear();
  EXPECT_EQ(parse_manifest("m", render_manifest(manifest)), manifest);
  const auto& shard = manifest.train.shards[1];
  EXPECT_EQ(parse_shard("m", render_shard(shard)), shard);
  EXPECT_EQ(render_shard(shard).find('\n'), std::string::npos);
}

TEST(ShardManifest, HasTargetsInPlaceOfClasses) {
  auto manifest = sample();
  manifest.classes = 0;
  manifest.class_names.clear();
  manifest.targets = 3;
  const auto text = render_manifest(manifest);
  EXPECT_EQ(parse_manifest("m", text), manifest);
  EXPECT_EQ(text.find("classes"), std::string::npos);
  EXPECT_EQ(error_with("\"classes\": 2", "\"classes\": 2, \"targets\": 1"),
            "m: expected targets: classes or targets, found both");
  EXPECT_EQ(error_with("\"classes\": 2", "\"targets\": 0"),
            "m: expected targets: a whole number from 1 to 1048576, found 0");
  EXPECT_EQ(error_with("\"classes\": 2", "\"targets\": 2"),
            "m: expected class_names: 0 names, one for each class, found 2");
}

TEST(ShardManifest, IsToldFromOtherFilesOfItsName) {
  const test::TempFolder folder;
  EXPECT_FALSE(has_manifest(folder.path()));
  test::write_bytes(folder / kManifestName, test::make_bytes(R"({"name": "an app"})"));
  EXPECT_FALSE(has_manifest(folder.path()));
  write_manifest(folder.path(), sample());
  EXPECT_TRUE(has_manifest(folder.path()));
  EXPECT_EQ(read_manifest(folder / kManifestName), sample());
}

TEST(ShardManifest, RefusesWhatIsNone) {
  const auto error = [](const std::string& text) {
    return data_error_of([&] { parse_manifest("m", text); });
  };
  EXPECT_NE(error("").find("m: byte 0: expected a manifest in JSON"), std::string::npos);
  EXPECT_NE(error("[1, 2]").find("expected a manifest of shards"), std::string::npos);
  EXPECT_NE(error("{}").find("expected a manifest of shards"), std::string::npos);
  EXPECT_NE(error("{\"a\": 1, \"a\": 2}").find("\"a\" twice"), std::string::npos);
  EXPECT_NE(error(std::string(100'000, '[')).find("found JSON nested too deeply"),
            std::string::npos);
  EXPECT_NE(error(std::string("{}\0{", 4)).find("byte 2: expected a manifest in JSON, found a NUL"),
            std::string::npos);
  const auto text = render_manifest(sample());
  for (std::size_t cut = 0; cut < text.size() - 1; cut += 7) error(text.substr(0, cut));
}

TEST(ShardManifest, NamesTheFieldThatIsWrong) {
  EXPECT_EQ(error_with("\"version\": 1", "\"version\": 2"), "m: expected version: 1, found 2");
  EXPECT_EQ(error_with("\"int16\"", "\"int64\""),
            "m: expected dtype: an element type of IDX, found \"int64\"");
  EXPECT_EQ(error_with("\"classes\": 2", "\"classes\": -2"),
            "m: expected classes: a whole number from 1 to 1048576, found -2");
  EXPECT_EQ(error_with("\"classes\": 2", "\"classes\": 3"),
            "m: expected class_names: 3 names, one for each class, found 2");
  EXPECT_EQ(error_with("\"samples\": 4", "\"samples\": 5"),
            "m: expected train.samples: 8, the sum of its shards, found 7");
  EXPECT_EQ(error_with("\"samples\": 4", "\"samples\": 0"),
            "m: expected train.shards[1].samples: a whole number from 1 to 4294967295, found 0");
  EXPECT_EQ(error_with("\"samples\": 4", "\"samples\": 1.5"),
            "m: expected train.shards[1].samples: a whole number from 1 to 4294967295, found 1.5");
  EXPECT_EQ(error_with(std::string(32, '3'), std::string(31, '3')),
            "m: expected train.shards[1].images.xxh128: 32 hex digits, found \"" +
                std::string(31, '3') + "\"");
  EXPECT_EQ(error_with("\"bytes\": 100", "\"bites\": 100"),
            "m: expected train.shards[0].images.bytes: a value, found none");
}

TEST(ShardManifest, NamesNoFileOutsideItsFolderAndNoneTwice) {
  for (const auto* bad : {"../a", "/etc/passwd", "x/y", ".", "..", ""}) {
    EXPECT_NE(error_with("\"file\": \"c\"", "\"file\": \"" + std::string(bad) + "\"")
                  .find("train.shards[1].images.file: the name of a file beside the manifest"),
              std::string::npos);
  }
  EXPECT_NE(
      error_with("\"file\": \"e\"", "\"file\": \"a\"").find("each file once, found \"a\" twice"),
      std::string::npos);
}

TEST(ShardManifest, RefusesShapesThatNoFileHas) {
  EXPECT_NE(error_with("  2,\n  3", "  4294967295,\n  4294967295").find("samples of at most"),
            std::string::npos);
  EXPECT_NE(error_with("  2,\n  3", "  0").find("a whole number from 1 to 4294967295, found 0"),
            std::string::npos);
  EXPECT_NE(error_with("  2,\n  3", "  9223372036854775808").find("found 9223372036854775808"),
            std::string::npos);
}

}  // namespace
}  // namespace millrace
