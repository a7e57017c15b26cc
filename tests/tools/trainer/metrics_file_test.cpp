#include "tools/trainer/metrics_file.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/files.h"

namespace millrace {
namespace {

using test::data_error_of;
using test::make_bytes;
using test::TempFolder;
using test::write_bytes;

std::string text_of(const std::filesystem::path& path) {
  std::string text;
  for (const std::byte byte : test::read_bytes(path)) text += static_cast<char>(byte);
  return text;
}

TEST(MetricsFile, HasEachLineAtOnce) {
  const TempFolder folder;
  MetricsFile file(folder / "m.jsonl");
  file.begin(false);
  file.write({{"epoch", 0}, {"loss", 0.5}});
  EXPECT_EQ(text_of(folder / "m.jsonl"), "{\"epoch\":0,\"loss\":0.5}\n");
  file.write({{"text", "a\nb \xff"}});  // not UTF-8
  EXPECT_EQ(text_of(folder / "m.jsonl"),
            "{\"epoch\":0,\"loss\":0.5}\n{\"text\":\"a\\nb \xef\xbf\xbd\"}\n");
  EXPECT_EQ(file.error(), "");
}

TEST(MetricsFile, ReplacesOnlyOnceItBegins) {
  const TempFolder folder;
  const auto path = write_bytes(folder / "m", make_bytes("{\"old\":1}\n"));
  MetricsFile file(path);
  EXPECT_EQ(text_of(path), "{\"old\":1}\n");
  file.begin(false);
  file.write({{"new", 1}});
  EXPECT_EQ(text_of(path), "{\"new\":1}\n");
}

TEST(MetricsFile, AppendsBehindTheLastWholeLine) {
  const TempFolder folder;
  for (const std::string& cut : {std::string(), std::string("{\"ep"), std::string(9000, 'x')}) {
    const auto path = write_bytes(folder / "m", make_bytes("{\"a\":1}\n{\"b\":2}\n" + cut));
    MetricsFile file(path);
    file.begin(true);
    file.write({{"c", 3}});
    EXPECT_EQ(text_of(path), "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n");
  }
  const auto path = write_bytes(folder / "m", make_bytes("no line at all"));
  MetricsFile file(path);
  file.begin(true);
  EXPECT_EQ(text_of(path), "");
}

TEST(MetricsFile, EmptiesNothingButLinesOfJson) {
  const TempFolder folder;
  const auto path = write_bytes(folder / "m", make_bytes("weights"));
  EXPECT_EQ(data_error_of([&] {
              MetricsFile file(path);
              file.begin(false);
            }),
            path.string() +
                ": byte 0: expected an empty file or lines of JSON, to be the metrics file, found "
                "something else");
  EXPECT_EQ(text_of(path), "weights");
}

TEST(MetricsFile, TellsAtOnceWhatCannotBeWritten) {
  const TempFolder folder;
  const auto path = folder / "none" / "m";
  EXPECT_EQ(data_error_of([&] { MetricsFile file(path); }),
            path.string() + ": cannot open the metrics file: No such file or directory");
  EXPECT_NE(data_error_of([&] { MetricsFile file(folder.path()); }).find("Is a directory"),
            std::string::npos);
}

TEST(MetricsFile, KeepsTheErrorOfAFullDisk) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  MetricsFile file("/dev/full");
  file.begin(false);
  file.write({{"a", 1}});
  EXPECT_EQ(file.error(), "/dev/full: cannot write metrics: No space left on device");
  file.write({{"a", 2}});
  EXPECT_EQ(file.error(), "/dev/full: cannot write metrics: No space left on device");
}

}  // namespace
}  // namespace millrace
