#include "tools/tensorboard/crc32c.h"

#include <gtest/gtest.h>

#include <string>

namespace millrace {
namespace {

// RFC 3720, B.4; the last is the check value that catalogues of checksums give.
TEST(Crc32c, GivesTheStandardsValues) {
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
  std::string ascending;
  for (int i = 0; i < 32; ++i) ascending += static_cast<char>(i);
  EXPECT_EQ(crc32c(ascending), 0x46dd794eU);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
  EXPECT_EQ(crc32c(""), 0U);
}

}  // namespace
}  // namespace millrace
