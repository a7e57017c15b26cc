#include "formats/webdataset_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "formats/idx_pair.h"
#include "tests/support/tar_files.h"

namespace millrace {
namespace {

using test::data_error_of;
using test::make_bytes;
using test::TarEntry;

// What images and arrays hold is nobody's business here.
class WebIndexTest : public testing::Test {
 protected:
  WebIndex index_of(const std::vector<TarEntry>& entries,
                    std::uint32_t limit = kMostIdxClasses) const {
    const RandomContent shard(test::write_bytes(path_, test::tar_of(entries)), false);
    WebIndex index;
    index_shard(shard, 3, limit, index);
    return index;
  }
  std::string error_of(const std::vector<TarEntry>& entries,
                       std::uint32_t limit = kMostIdxClasses) const {
    const auto message = data_error_of([&] { index_of(entries, limit); });
    EXPECT_TRUE(message.starts_with(path_.string())) << message;
    return message.substr(std::min(message.size(), path_.string().size()));
  }

  test::TempFolder folder_;
  std::filesystem::path path_ = folder_ / "a.tar";
};

TEST_F(WebIndexTest, SaysWhereSamplesLie) {
  const auto index = index_of({{"x/", {}, '5'},
                               {"x/0.png", make_bytes("zero")},
                               {"x/0.cls", make_bytes("2\n")},
                               {"x/1.cls", make_bytes(" 0 ")},
                               {"x/1.seg.png", make_bytes("one")},
                               {"x/1.txt", make_bytes("a cat")},
                               {"x/.hidden.png", make_bytes("junk")},
                               {"README", make_bytes("junk")}});
  EXPECT_EQ(index.labels, (std::vector<std::int32_t>{2, 0}));
  EXPECT_FALSE(index.arrays);
  ASSERT_EQ(index.samples.size(), 2U);
  const auto& second = index.samples[1];
  EXPECT_EQ(second.shard, 3U);
  EXPECT_EQ(second.header_at, 7 * 512U) << "after the folder and three members of two blocks";
  EXPECT_EQ(second.at, 8 * 512U);
  EXPECT_EQ(second.bytes, 3U);
}

TEST_F(WebIndexTest, TakesLabelsFromJson) {
  const auto index = index_of({{"0.json", make_bytes(R"({"label": 4, "caption": "x"})")},
                               {"0.png", make_bytes("x")},
                               {"1.png", make_bytes("y")},
                               {"1.json", make_bytes(R"({"caption": "the class counts"})")},
                               {"1.cls", make_bytes("1")}});
  EXPECT_EQ(index.labels, (std::vector<std::int32_t>{4, 1}));
}

TEST_F(WebIndexTest, NamesWhatIsMissingOrTwice) {
  const auto one = make_bytes("1");
  EXPECT_EQ(error_of({{"0.png", make_bytes("x")}, {"1.cls", one}}),
            "/0: expected a label (.cls or .json) in the sample, found none");
  EXPECT_EQ(error_of({{"0.png", make_bytes("x")}, {"0.cls", one}, {"1.cls", one}}),
            "/1: expected an image or array in the sample, found a label alone");
  EXPECT_EQ(error_of({{"0.png", make_bytes("x")}, {"0.jpg", make_bytes("x")}}),
            "/0.jpg: expected one image or array in a sample, found a second one");
  EXPECT_EQ(error_of({{"0.png", make_bytes("x")}, {"0.cls", one}, {"0.cls", one}}),
            "/0.cls: expected one label in a sample, found a second one");
  EXPECT_EQ(error_of({{"0.png", make_bytes("x")}, {"0.cls", one}, {"1.npy", make_bytes("z")}}),
            "/1.npy: expected an image, as the samples before it are, found an array");
}

TEST_F(WebIndexTest, NamesTheLinkOrSparseFileThatIsMissing) {
  const auto one = make_bytes("1");
  const std::string no_label = "expected a label (.cls or .json) in the sample, found none";
  EXPECT_EQ(error_of({{"0.png", one}, {"0.cls", {}, '1'}}),
            "/0: " + no_label + " (0.cls at byte 1024 is left out: a hard link)");
  // In front of the part that is there, and with a link of the next sample behind.
  EXPECT_EQ(error_of({{"0.png", one}, {"0.cls", one}, {"1.png", one, 'S'}, {"1.cls", one}}),
            "/1: expected an image or array in the sample, found a label alone (1.png at byte "
            "2048 is left out: a sparse file)");
  EXPECT_EQ(error_of({{"0.png", one}, {"0.\n.cls", {}, '2'}, {"1.png", {}, '2'}, {"1.cls", one}}),
            "/0: " + no_label + " (\"0.\\n.cls\" at byte 1024 is left out: a symbolic link)");
  // Of another sample.
  EXPECT_EQ(error_of({{"0.txt", {}, '1'}, {"1.png", one}, {"2.cls", {}, '1'}}), "/1: " + no_label);
  EXPECT_EQ(index_of({{"0.png", one}, {"1.cls", {}, '1'}, {"0.cls", one}}).labels.size(), 1U)
      << "they do not cut samples in two";
}

TEST_F(WebIndexTest, NamesLabelsThatAreNone) {
  const auto with_class = [&](std::string_view text, std::uint32_t limit = kMostIdxClasses) {
    return error_of({{"0.cls", make_bytes(text)}, {"0.png", make_bytes("x")}}, limit);
  };
  const std::string expected = "/0.cls: expected a class as text, a whole number in [0, 1048576), ";
  EXPECT_EQ(with_class("cat\n"), expected + "found \"cat\\n\"");
  EXPECT_EQ(with_class(""), expected + "found \"\"");
  EXPECT_EQ(with_class("-1"), expected + "found \"-1\"");
  EXPECT_EQ(with_class("1.5"), expected + "found \"1.5\"");
  EXPECT_EQ(with_class("99999999999999999999"), expected + "found \"99999999999999999999\"");
  EXPECT_EQ(with_class("3", 3),
            "/0.cls: expected a class as text, a whole number in [0, 3), found \"3\"");
  const auto with_json = [&](std::string_view text) {
    return error_of({{"0.png", make_bytes("x")}, {"0.json", make_bytes(text)}});
  };
  for (const auto* text : {"", "{", "[1]", "{}", R"({"label": "cat"})", R"({"label": -1})",
                           R"({"label": 1.5})", R"({"label": 18446744073709551615})"}) {
    EXPECT_TRUE(
        with_json(text).starts_with("/0.json: expected an object with a \"label\", a whole "
                                    "number in [0, 1048576), found "))
        << with_json(text);
  }
  // Deep enough to end the stack of a parser that calls itself.
  EXPECT_NE(with_json(std::string(1'000'000, '[')).find("found \"[["), std::string::npos);
}

TEST_F(WebIndexTest, ShowsHostileNamesInQuotesAndWritesNothing) {
  EXPECT_EQ(error_of({{"../../tmp/\x1b[2J\n.png", make_bytes("junk")},
                      {"../../tmp/\x1b[2J\n.cls", make_bytes("x")}}),
            "/\"../../tmp/\\x1b[2J\\n.cls\": expected a class as text, a whole number in [0, "
            "1048576), found \"x\"");
  EXPECT_EQ(folder_.names(), std::vector<std::string>{"a.tar"});
}

}  // namespace
}  // namespace millrace
