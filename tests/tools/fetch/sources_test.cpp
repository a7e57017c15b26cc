#include "tools/fetch/sources.h"

#include <gtest/gtest.h>

#include <set>

#include "formats/error.h"
#include "tests/support/files.h"
#include "tools/console/usage_error.h"

namespace millrace {
namespace {

std::vector<DataSource> read_text(const std::string& text) {
  const test::TempFolder folder;
  return read_sources(test::write_bytes(folder / "sources.json", test::make_bytes(text)));
}

std::string table(const std::string& mirror, const std::string& name, const std::string& sum) {
  return R"({"own": {"mirrors": [")" + mirror + R"("], "files": [{"name": ")" + name +
         R"(", "size": 3, "sha256": ")" + sum + R"("}]}})";
}

TEST(Sources, EachPublishedSetHasItsFourFilesAndSums) {
  std::set<std::string> sums;
  for (const auto& source : published_sources()) {
    ASSERT_EQ(source.files.size(), 4U) << source.name;
    for (const auto& mirror : source.mirrors) EXPECT_TRUE(mirror.ends_with('/')) << mirror;
    for (const auto& file : source.files) {
      EXPECT_EQ(file.sha256.size(), 64U) << file.name;
      sums.insert(file.sha256);
    }
  }
  EXPECT_EQ(sums.size(), 12U);
}

TEST(Sources, ReadsAnotherTable) {
  const std::string sum(64, 'a');
  const auto sources = read_text(table("http://x/", "f.gz", sum));
  const DataSource own = source_called("own", sources);
  EXPECT_EQ(own.files.at(0).name, "f.gz");
  EXPECT_EQ(own.files.at(0).size, 3U);
  EXPECT_EQ(own.files.at(0).content_sha256, "");
  const auto known = read_text(table("http://x/", "f.gz", sum + R"(", "content_sha256": ")" + sum));
  EXPECT_EQ(known.at(0).files.at(0).content_sha256, sum);
  EXPECT_THROW(source_called("other", sources), UsageError);
}

TEST(Sources, RefusesPathsAndWhatIsNoSum) {
  const std::string sum(64, 'a');
  EXPECT_THROW(read_text(table("http://x/", "../f", sum)), DataError);
  EXPECT_THROW(read_text(table("http://x", "f", sum)), DataError);
  EXPECT_THROW(read_text(table("http://x/", "f", "abc")), DataError);
  EXPECT_THROW(read_text(table("http://x/", "f", sum + R"(", "content_sha256": "abc)")), DataError);
  EXPECT_THROW(read_text("{"), DataError);
  EXPECT_THROW(read_text(R"({"own": {}})"), DataError);
}

TEST(Sources, RefusesSizesThatAreNone) {
  const std::string sum(64, 'a');
  for (const std::string size : {"-3", "2.5", "1e30", "\"3\""}) {
    std::string text = table("http://x/", "f", sum);
    text.replace(text.find("3,"), 1, size);
    EXPECT_THROW(read_text(text), DataError) << size;
  }
}

TEST(Sources, SaysWhereATableIsNoJson) {
  const test::TempFolder folder;
  const auto message = [&](const std::string& text) {
    const auto file = test::write_bytes(folder / "sources.json", test::make_bytes(text));
    std::string line = test::data_error_of([&] { (void)read_sources(file); });
    EXPECT_EQ(line.find("json.exception"), std::string::npos) << line;
    EXPECT_TRUE(line.starts_with(file.string() + ": ")) << line;
    return line;
  };
  const std::string broken = message(R"({"own": x})");
  EXPECT_NE(broken.find("byte 8: expected a table of data sets in JSON, found syntax error"),
            std::string::npos)
      << broken;
  const std::string missing = message(R"({"own": {}})");
  EXPECT_NE(missing.find("found key 'mirrors' not found"), std::string::npos) << missing;
}

}  // namespace
}  // namespace millrace
