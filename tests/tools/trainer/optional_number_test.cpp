#include "tools/trainer/optional_number.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(OptionalNumber, IsADashOrNullWhereThereIsNone) {
  EXPECT_EQ(share_text(0.94376), "0.9438");
  EXPECT_EQ(share_text({}), "-");
  EXPECT_EQ(json_of(0.5).dump(), "0.5");
  EXPECT_TRUE(json_of({}).is_null());
}

}  // namespace
}  // namespace millrace
