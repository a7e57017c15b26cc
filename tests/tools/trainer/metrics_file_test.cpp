#include "tools/trainer/metrics_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "formats/file_descriptor.h"
#include "tests/support/files.h"

namespace millrace {
namespace {

using test::data_error_of;
using test::make_bytes;
using test::TempFolder;
using test::write_bytes;

const LineKind kKind{"metrics", "{\"a\":1,…}",
                     [](const nlohmann::ordered_json& line) { return !line.contains("other"); }};

std::string text_of(const std::filesystem::path& path) {
  std::string text;
  for (const std::byte byte : test::read_bytes(path)) text += static_cast<char>(byte);
  return text;
}

TEST(MetricsFile, HasEachLineAtOnce) {
  const TempFolder folder;
  MetricsFile file(folder / "m.jsonl", kKind);
  file.begin();
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
  MetricsFile file(path, kKind);
  EXPECT_EQ(text_of(path), "{\"old\":1}\n");
  file.begin();
  file.write({{"new", 1}});
  EXPECT_EQ(text_of(path), "{\"new\":1}\n");
}

bool none(const nlohmann::ordered_json& /*line*/) { return false; }
bool all(const nlohmann::ordered_json& /*line*/) { return true; }

TEST(MetricsFile, GoesOnBehindTheLastWholeLine) {
  const TempFolder folder;
  for (const std::string& cut :
       {std::string(), std::string("{\"ep"), "{" + std::string(90'000, 'x')}) {
    const auto path = write_bytes(folder / "m", make_bytes("{\"a\":1}\n{\"b\":2}\n" + cut));
    MetricsFile file(path, kKind);
    file.go_on(none);
    file.write({{"c", 3}});
    EXPECT_EQ(text_of(path), "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n");
  }
}

TEST(MetricsFile, LetsLinesGo) {
  const TempFolder folder;
  const auto has_a = [](const nlohmann::ordered_json& line) { return line.contains("a"); };
  const std::string foreign = "{\"b\":1}\nnot JSON\n[1]\n\n";
  for (const auto& [before, after] :
       {std::pair{foreign + "{\"a\":1}\n{\"a\":2}\n", foreign},
        std::pair{"{\"a\":1}\n" + foreign + "{\"a\":2}\n{\"", foreign},
        std::pair{std::string("{\"a\":1}\n"), std::string()}}) {
    const auto path = write_bytes(folder / "m", make_bytes(before));
    const auto link = folder / "link";
    if (!std::filesystem::is_symlink(link)) std::filesystem::create_symlink("m", link);
    MetricsFile file(link, kKind);
    file.go_on(has_a);
    EXPECT_EQ(text_of(path), after);
    file.write({{"a", 3}});
    EXPECT_EQ(text_of(path), after + "{\"a\":3}\n");
    EXPECT_TRUE(std::filesystem::is_symlink(link));
  }
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"link", "m"}));
}

TEST(MetricsFile, ChangesNothingOfAFileThatIsNotItsOwn) {
  const TempFolder folder;
  const auto path = folder / "m";
  for (const std::string& text :
       {std::string("weights"), std::string("# Notes\nof mine\n"), std::string("\n"),
        std::string("{\n \"train\": 1\n}\n"), std::string("[1]\n{\"a\":1}\n"),
        std::string("{\"other\":1}\n{\"a\":1}\n"), std::string("{\"other\":1}"),
        R"({"a":")" + std::string(100'000, 'x')}) {
    write_bytes(path, make_bytes(text));
    const std::string refused = path.string() +
                                ": byte 0: expected an empty file or lines like {\"a\":1,…}, to be "
                                "the metrics file, found \"";
    EXPECT_EQ(data_error_of([&] { MetricsFile(path, kKind).begin(); }).find(refused), 0U) << text;
    EXPECT_EQ(data_error_of([&] { MetricsFile(path, kKind).go_on(all); }).find(refused), 0U);
    EXPECT_EQ(text_of(path), text);
  }
  write_bytes(path, make_bytes("{\"a\":1}\nweights"));
  EXPECT_EQ(data_error_of([&] { MetricsFile(path, kKind).go_on(all); }),
            path.string() +
                ": byte 8: expected an empty file or lines like {\"a\":1,…}, to be the metrics "
                "file, found \"weights\"");
  EXPECT_EQ(text_of(path), "{\"a\":1}\nweights");
}

TEST(MetricsFile, EmptiesALineThatWasCutOff) {
  const TempFolder folder;
  const auto path = write_bytes(folder / "m", make_bytes("{\"epo"));
  MetricsFile(path, kKind).begin();
  EXPECT_EQ(text_of(path), "");
}

TEST(MetricsFile, IsOfOneRunAtATime) {
  const TempFolder folder;
  const auto path = write_bytes(folder / "m", make_bytes("{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n"));
  std::optional<MetricsFile> first(std::in_place, path, kKind);
  first->go_on([](const auto& line) { return line.contains("b"); });
  const std::string kept = text_of(path);
  EXPECT_EQ(kept, "{\"a\":1}\n{\"c\":3}\n");
  MetricsFile second(path, {"quarantine", "", kKind.is});
  const std::string expected =
      path.string() + ": another run is writing its quarantine to this file";
  EXPECT_EQ(data_error_of([&] { second.begin(); }), expected);
  EXPECT_EQ(data_error_of([&] { second.go_on(all); }), expected);
  EXPECT_EQ(text_of(path), kept);
  first.reset();
  second.begin();
  EXPECT_EQ(text_of(path), "");
}

TEST(MetricsFile, TellsAtOnceWhatCannotBeWritten) {
  const TempFolder folder;
  const auto path = folder / "none" / "m";
  EXPECT_EQ(data_error_of([&] { MetricsFile file(path, kKind); }),
            path.string() + ": cannot open the metrics file: No such file or directory");
  if (std::filesystem::exists("/sys/kernel")) {  // the kernel's own, where nobody may make files
    const auto line = data_error_of([] { MetricsFile file("/sys/m", kKind); });
    EXPECT_EQ(line.find("No such file"), std::string::npos) << line;
  }
  EXPECT_NE(data_error_of([&] { MetricsFile file(folder.path(), kKind); }).find("Is a directory"),
            std::string::npos);
}

TEST(MetricsFile, KeepsTheErrorOfAFullDisk) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  MetricsFile file("/dev/full", kKind);
  file.begin();
  file.write({{"a", 1}});
  EXPECT_EQ(file.error(), "/dev/full: cannot write metrics: No space left on device");
  file.write({{"a", 2}});
  EXPECT_EQ(file.error(), "/dev/full: cannot write metrics: No space left on device");
}

// It must not wait for a reader that will never come back.
TEST(MetricsFile, KeepsTheErrorOfAPipeThatNobodyReads) {
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  const TempFolder folder;
  const auto path = folder / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  FileDescriptor reader(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  MetricsFile file(path, kKind);
  file.begin();
  file.write({{"a", 1}});
  EXPECT_EQ(file.error(), "");
  std::string text(20, '\0');
  EXPECT_EQ(::read(reader.get(), text.data(), text.size()), 8);
  EXPECT_TRUE(text.starts_with("{\"a\":1}\n")) << text;
  reader.reset();
  file.write({{"a", 2}});
  EXPECT_EQ(file.error(), path.string() + ": cannot write metrics: Broken pipe");
  std::signal(SIGPIPE, before);
}

}  // namespace
}  // namespace millrace
