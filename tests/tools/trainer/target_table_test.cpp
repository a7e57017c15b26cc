#include "tools/trainer/target_table.h"

#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

namespace millrace {
namespace {

TEST(TargetTable, HasALineATarget) {
  TargetErrors errors(2, {"price", "a very long name, which no column has room for"});
  errors.add(std::array{100000.0F, 1.0F}, std::array{100001.0F, 1.0F});
  errors.add(std::array{300000.0F, 3.0F}, std::array{299999.0F, 2.0F});
  const std::string text = render_targets(errors);
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  std::getline(lines, line);
  EXPECT_EQ(line, "             price           1           1           1    1.0000      100000");
  std::getline(lines, line);
  EXPECT_TRUE(line.starts_with("a very long name,   ")) << line;
  EXPECT_LE(line.size(), 80U);
  EXPECT_FALSE(std::getline(lines, line)) << line;
}

TEST(NumberText, HasFiveDigitsOrAllBeforeThePoint) {
  EXPECT_EQ(number_text(0.04171123), "0.041711");
  EXPECT_EQ(number_text(-16262.4), "-16262");
  EXPECT_EQ(number_text(182567.3), "182567");
  EXPECT_EQ(number_text(123456789.0), "123456789");
  EXPECT_EQ(number_text(1.5e9), "1.5e+09");
  EXPECT_EQ(number_text(0.0), "0");
}

TEST(TargetTable, OfVeryManyNamesTheFirst) {
  const TargetErrors errors(45);
  EXPECT_NE(render_targets(errors).find("\n5 more, which --json lists\n"), std::string::npos);
  EXPECT_EQ(targets_json(errors).size(), 45U);
}

}  // namespace
}  // namespace millrace
