#include "tools/trainer/quarantine_observer.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "formats/error.h"
#include "tests/support/files.h"

namespace millrace {
namespace {

using test::TempFolder;

std::vector<nlohmann::json> records(const std::filesystem::path& path) {
  std::vector<nlohmann::json> all;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) all.push_back(nlohmann::json::parse(line));
  return all;
}

const BadSample kFirst{17, "images.zst", 4096, "images.zst: broken frame 3"};
const BadSample kSecond{2, "a \xff.png", {}, "a.png: no PNG"};

TEST(QuarantineObserver, NamesEachSampleOnceAcrossRuns) {
  const TempFolder folder;
  const auto path = folder / "q.jsonl";
  for (int runs = 0; runs < 2; ++runs) {
    Console console("test", true);
    QuarantineObserver observer(path, console);
    EXPECT_EQ(std::filesystem::exists(path), runs == 1);
    observer.on_bad_sample("train", kFirst);
    observer.on_bad_sample("train", kSecond);
    observer.on_bad_sample("train", kFirst);
    observer.on_bad_sample("test", kFirst);
    EXPECT_FALSE(observer.failed());
  }
  const auto found = records(path);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0], (nlohmann::json{{"dataset", "train"},
                                      {"sample", 17},
                                      {"file", "images.zst"},
                                      {"offset", 4096},
                                      {"reason", "images.zst: broken frame 3"}}));
  EXPECT_TRUE(found[1].at("offset").is_null());
  EXPECT_EQ(found[1].at("file"), "a \xef\xbf\xbd.png");
  EXPECT_EQ(found[2].at("dataset"), "test");
}

TEST(QuarantineObserver, KeepsWhatWasThereButForATornLine) {
  const TempFolder folder;
  const auto path = test::write_bytes(
      folder / "q.jsonl",
      test::make_bytes("note\n{\"dataset\":\"train\",\"sample\":2}\n{\"dataset\":\"tr"));
  Console console("test", true);
  QuarantineObserver observer(path, console);
  observer.on_bad_sample("train", kSecond);
  observer.on_bad_sample("train", kFirst);
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  EXPECT_EQ(line, "note");
  std::getline(file, line);
  EXPECT_EQ(line, "{\"dataset\":\"train\",\"sample\":2}");
  std::getline(file, line);
  EXPECT_EQ(nlohmann::json::parse(line).at("sample"), 17);
  EXPECT_FALSE(std::getline(file, line));
}

TEST(QuarantineObserver, FailsAtOnceOnlyWhereItIsAskedTo) {
  const TempFolder folder;
  Console console("test", true);
  QuarantineObserver observer(folder / "nowhere" / "q.jsonl", console);
  EXPECT_THROW(observer.open(), DataError);
  EXPECT_FALSE(observer.failed());
  ::testing::internal::CaptureStderr();
  observer.on_bad_sample("train", kFirst);
  observer.on_bad_sample("train", kSecond);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "test: warning: " + (folder / "nowhere" / "q.jsonl").string() +
                ": cannot open the quarantine file: No such file or directory; the run goes on "
                "without naming bad samples there\n");
  EXPECT_TRUE(observer.failed());
}

}  // namespace
}  // namespace millrace
