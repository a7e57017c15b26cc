#include "tools/tensorboard/event_file.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/files.h"
#include "tests/support/limits.h"
#include "tests/support/protobuf_reader.h"
#include "tests/support/tf_records.h"

namespace millrace {
namespace {

std::string content(const std::filesystem::path& path) {
  std::string text;
  for (const std::byte b : test::read_bytes(path)) text += static_cast<char>(b);
  return text;
}

Summary scalar(double value) {
  Summary summary;
  summary.scalar("a", value);
  return summary;
}

TEST(EventFile, ReadsToItsLastEventAtAnyTime) {
  const test::TempFolder folder;
  EventFile file(folder / "a/b");
  EXPECT_NE(file.path().filename().string().find("events.out.tfevents."), std::string::npos);
  EXPECT_EQ(test::tf_records(content(file.path())).size(), 1U);
  for (std::int64_t step = 0; step < 3; ++step) {
    file.write(step, scalar(0.5));
    const auto records = test::tf_records(content(file.path()));
    ASSERT_EQ(records.size(), 2U + static_cast<std::size_t>(step));
    EXPECT_EQ(test::ProtoReader(records.back()).integer(2), step);
  }
}

TEST(EventFile, IsNeverAnOlderOne) {
  const test::TempFolder folder;
  const EventFile first(folder.path());
  const EventFile second(folder.path());
  EXPECT_NE(first.path(), second.path());
  EXPECT_EQ(folder.names().size(), 2U);
}

TEST(EventFile, ThatCannotBeMadeIsTold) {
  const test::TempFolder folder;
  test::write_bytes(folder / "file", {});
  const std::string line = test::data_error_of([&] { EventFile(folder / "file"); });
  EXPECT_NE(line.find("/file"), std::string::npos) << line;
}

TEST(EventFile, ThatCannotBeBegunIsToldWithTheReasonAndRemoved) {
  const test::TempFolder folder;
  const test::FileSizeLimit limit(20);
  const std::string line = test::data_error_of([&] { EventFile(folder.path()); });
  EXPECT_TRUE(line.ends_with(": cannot write events: File too large")) << line;
  EXPECT_TRUE(folder.names().empty());
}

TEST(EventFile, OnAFullDiskKeepsItsWholeEvents) {
  const test::TempFolder folder;
  EventFile file(folder.path());
  file.write(0, scalar(1.0));
  const std::size_t before = content(file.path()).size();
  {
    const test::FileSizeLimit limit(before + 20);  // half of the next event fits
    file.write(1, scalar(2.0));
  }
  EXPECT_NE(file.error().find("cannot write events"), std::string::npos) << file.error();
  file.write(2, scalar(3.0));
  EXPECT_EQ(content(file.path()).size(), before);
  EXPECT_EQ(test::tf_records(content(file.path())).size(), 2U);
}

}  // namespace
}  // namespace millrace
