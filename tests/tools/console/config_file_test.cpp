#include "tools/console/config_file.h"

#include <gtest/gtest.h>

#include "tests/support/files.h"
#include "tests/tools/usage_error.h"

namespace millrace {
namespace {

using test::data_error_of;
using test::make_bytes;
using test::TempFolder;
using test::usage_error_of;
using test::write_bytes;

class ReadConfig : public ::testing::Test {
 protected:
  std::filesystem::path file(std::string_view text) const {
    return write_bytes(folder_ / "run.toml", make_bytes(text));
  }
  std::string value(std::string_view text) const {
    const auto entries = read_config(file("key = " + std::string(text) + "\n"));
    return entries.size() == 1 ? entries[0].value : "no single entry";
  }
  // Without the path, which differs from run to run.
  std::string error(std::string_view text) const {
    const auto path = file(text);
    const std::string message = usage_error_of([&] { read_config(path); });
    EXPECT_TRUE(message.starts_with(path.string() + ':')) << message;
    return message.substr(std::min(message.size(), path.string().size() + 1));
  }

  TempFolder folder_;
};

TEST_F(ReadConfig, ReadsKeysValuesAndLines) {
  const auto entries =
      read_config(file("# a run\n\nepochs = 3\r\n  val-size=100 # few\nlr\t=\t0.5"));
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].key, "epochs");
  EXPECT_EQ(entries[0].value, "3");
  EXPECT_EQ(entries[0].line, 3U);
  EXPECT_EQ(entries[1].key, "val-size");
  EXPECT_EQ(entries[1].value, "100");
  EXPECT_EQ(entries[2].value, "0.5");
  EXPECT_EQ(entries[2].line, 5U);
  EXPECT_TRUE(read_config(file("")).empty());
  EXPECT_EQ(read_config(file("\xef\xbb\xbf"
                             "lr = 1\n"))
                .at(0)
                .key,
            "lr")
      << "as some editors save it";
}

TEST_F(ReadConfig, ReadsEveryKindOfValue) {
  EXPECT_EQ(value("10_000"), "10000");
  EXPECT_EQ(value("-1.5e-3"), "-1.5e-3");
  EXPECT_EQ(value("true"), "true");
  EXPECT_EQ(value("\"a # b\""), "a # b");
  EXPECT_EQ(value(R"("q\"\\\t")"), "q\"\\\t");
  EXPECT_EQ(value(R"('C:\x')"), "C:\\x");
  EXPECT_EQ(value("[512, 256]"), "512,256");
  EXPECT_EQ(value("[ 1 , ] # trailing comma"), "1");
  EXPECT_EQ(value("[]"), "");
  EXPECT_EQ(value(R"(["id", "a,b", 'c "d"', 3])"), R"(id,"a,b","c ""d""",3)");
  EXPECT_EQ(value("\"\""), "");
}

TEST_F(ReadConfig, NamesTheLineOfWhatItCannotRead) {
  EXPECT_EQ(error("a = 1\n[run]\n"),
            "2: expected an option's name, for there are no tables, found '[run]'");
  EXPECT_EQ(error("= 1"), "1: expected an option's name, found '= 1'");
  EXPECT_EQ(error("epochs 3"), "1: expected '=' after epochs, found 3");
  EXPECT_EQ(error("epochs ="), "1: expected a value, found the end of the line");
  EXPECT_EQ(error("a = 1 2"), "1: expected nothing more after the value of a, found 2");
  EXPECT_EQ(error("a = \"x"), "1: expected a closing \", found the end of the line");
  EXPECT_EQ(error("a = [1 2]"), "1: expected ',' or ']', found '2]'");
  EXPECT_EQ(error("a = 1\nb = 2\na = 3"), "3: expected a once, found it in line 1 already");
  EXPECT_NE(error("data = mnist").find("instead of mnist"), std::string::npos);
  EXPECT_NE(error(R"(a = "\q")").find("\\q"), std::string::npos);
}

TEST_F(ReadConfig, NamesAFileThatCannotBeRead) {
  const auto missing = folder_ / "none.toml";
  EXPECT_EQ(data_error_of([&] { read_config(missing); }),
            missing.string() + ": cannot open: No such file or directory");
  EXPECT_NE(data_error_of([&] { read_config(folder_.path()); }).find("Is a directory"),
            std::string::npos);
}

TEST_F(ReadConfig, ReadsNoDeviceWithoutEnd) {
  EXPECT_EQ(data_error_of([] { read_config("/dev/zero"); }),
            "/dev/zero: expected at most 1048576 bytes of options, found more");
}

}  // namespace
}  // namespace millrace
