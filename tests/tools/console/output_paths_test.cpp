#include "tools/console/output_paths.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/files.h"
#include "tests/tools/usage_error.h"

namespace millrace {
namespace {

using test::TempFolder;
using test::usage_error_of;

class OutputPaths : public ::testing::Test {
 protected:
  static std::string error(const std::vector<NamedPath>& outputs,
                           const std::vector<NamedPath>& inputs = {}) {
    return usage_error_of([&] { check_output_paths(outputs, inputs); });
  }
  TempFolder folder_;
};

TEST_F(OutputPaths, MayNotMeet) {
  EXPECT_EQ(
      error({{"--a", folder_ / "x"}, {"--b", folder_ / "." / "x"}}),
      "--b: expected another file than --a has, found '" + (folder_ / "." / "x").string() + "'");
  EXPECT_NO_THROW(check_output_paths(
      {{"--a", folder_ / "x"}, {"--b", folder_ / "y"}, {"--c", {}}, {"--d", {}}}));
}

TEST_F(OutputPaths, MayNotReplaceWhatIsOfAnotherKind) {
  const auto path = test::write_bytes(folder_ / "x", test::make_bytes("ab<html>"));
  EXPECT_EQ(error({{"--a", path, "<html>"}}),
            "--a: expected a new file or what it wrote before, found '" + path.string() +
                "', which is something else");
  EXPECT_NE(error({{"--a", path, "<html>", 5}}), "") << "it ends too early";
  EXPECT_NO_THROW(check_output_paths({{"--a", path, "<html>", 2}}));
  EXPECT_NO_THROW(check_output_paths({{"--a", path}}));
  EXPECT_NO_THROW(check_output_paths({{"--a", folder_ / "new", "<html>"}}));
  test::write_bytes(path, {});
  EXPECT_NO_THROW(check_output_paths({{"--a", path, "<html>"}}));
}

TEST_F(OutputPaths, MayNotReplaceWhatIsRead) {
  test::write_bytes(folder_ / "model", test::make_bytes("m"));
  std::filesystem::create_symlink("model", folder_ / "link");
  EXPECT_NE(error({{"--a", folder_ / "link"}}, {{"--model", folder_ / "model"}}), "");
  // A file in a folder that is read may be an earlier run's.
  EXPECT_NO_THROW(check_output_paths({{"--a", folder_ / "model"}}, {{"--data", folder_.path()}}));
}

TEST_F(OutputPaths, MayBeOneDevice) {
  EXPECT_NO_THROW(
      check_output_paths({{"--a", "/dev/null"}, {"--b", "/dev/null"}}, {{"--data", "/dev"}}));
}

TEST_F(OutputPaths, MayBeNoDeviceWhereTheyAreReplaced) {
  std::filesystem::create_symlink("/dev/null", folder_ / "link");
  for (const auto& path : {std::filesystem::path("/dev/null"), folder_ / "link"}) {
    EXPECT_EQ(error({{"--a", path, "<html>"}}), "--a: expected a file, found '" + path.string() +
                                                    "', which is a device, pipe or socket");
  }
}

}  // namespace
}  // namespace millrace
