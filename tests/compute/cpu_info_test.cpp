#include "compute/cpu_info.h"

#include <gtest/gtest.h>

#include <cctype>
#include <string>

namespace millrace {
namespace {

TEST(CpuInfo, NamesTheProcessorOnOneLine) {
  const std::string name = cpu_model();
  ASSERT_FALSE(name.empty());
  EXPECT_EQ(name.find('\n'), std::string::npos);
  EXPECT_FALSE(std::isspace(static_cast<unsigned char>(name.front())));
}

TEST(CpuInfo, NamesWhatEachPrecisionUses) {
  const std::string sets = cpu_instruction_sets();
  const std::string first = "float32: ";
  const std::string second = ", bfloat16: ";
  ASSERT_EQ(sets.rfind(first, 0), 0U) << sets;
  const auto comma = sets.find(second);
  ASSERT_NE(comma, std::string::npos) << sets;
  EXPECT_GT(comma, first.size()) << sets;
  EXPECT_GT(sets.size(), comma + second.size()) << sets;
}

}  // namespace
}  // namespace millrace
