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
      test::make_bytes("{\"dataset\":\"train\",\"sample\":2}\nnote\n{\"dataset\":\"tr"));
  Console console("test", true);
  QuarantineObserver observer(path, console);
  observer.on_bad_sample("train", kSecond);
  observer.on_bad_sample("train", kFirst);
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  EXPECT_EQ(line, "{\"dataset\":\"train\",\"sample\":2}");
  std::getline(file, line);
  EXPECT_EQ(line, "note");
  std::getline(file, line);
  EXPECT_EQ(nlohmann::json::parse(line).at("sample"), 17);
  EXPECT_FALSE(std::getline(file, line));
}

TEST(QuarantineObserver, AppendsToNothingButItsOwn) {
  const TempFolder folder;
  const std::string metrics = "{\"epoch\":0,\"train_loss\":2.5}\n";
  const auto path = test::write_bytes(folder / "m.jsonl", test::make_bytes(metrics));
  Console console("test", true);
  QuarantineObserver observer(path, console);
  EXPECT_EQ(test::data_error_of([&] { observer.open(); }),
            path.string() +
                ": byte 0: expected an empty file or lines like "
                "{\"dataset\":\"train\",\"sample\":0,…}, to be the quarantine file, found "
                "\"{\\\"epoch\\\":0,\\\"train_loss\\\":2.5}\"");
  EXPECT_EQ(test::read_bytes(path), test::make_bytes(metrics));
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
