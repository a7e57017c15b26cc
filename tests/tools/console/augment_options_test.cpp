#include "tools/console/augment_options.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/tools/usage_error.h"

namespace millrace {
namespace {

using test::usage_error_of;

AugmentSpec parse(const std::vector<std::string>& arguments) {
  CommandLine line("x", "");
  AugmentSpec augment;
  declare_augmentation(line, augment);
  line.parse(arguments);
  return augment;
}

TEST(AugmentOptions, ComeFromTheCommandLine) {
  EXPECT_EQ(parse({}), AugmentSpec{});
  EXPECT_EQ(parse({"--rotate", "10", "--shift", "2.5", "--scale", "0.1", "--shear", "5",
                   "--elastic", "34", "--elastic-sigma", "5"}),
            (AugmentSpec{10.0F, 2.5F, 0.1F, 5.0F, 34.0F, 5.0F}));
}

TEST(AugmentOptions, AreNumbers) {
  EXPECT_EQ(usage_error_of([] {
              parse({"--elastic", "much"});
            }),
            "--elastic: expected a finite number of at least 0, found 'much'");
  EXPECT_EQ(usage_error_of([] {
              parse({"--shear", "-1"});
            }),
            "--shear: expected a finite number of at least 0, found -1");
}

}  // namespace
}  // namespace millrace
