#include "tools/trainer/run_data.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/training.h"

namespace millrace {
namespace {

class WithValidation : public testing::Test {
 protected:
  WithValidation() { data_.train = test::training_data(); }  // 300 samples
  RunSpec spec() {
    return with_validation(options_, data_, [this](const auto& line) { notices_.push_back(line); });
  }
  Options options_;
  DataFolder data_;
  std::vector<std::string> notices_;
};

TEST_F(WithValidation, KeepsASixthOfASmallSetAndSaysSo) {
  EXPECT_EQ(spec().validation_size, 50U);
  EXPECT_EQ(notices_, std::vector<std::string>{
                          "validation takes 50 of 300 samples; --val-size says otherwise"});
}

TEST_F(WithValidation, KeepsWhatIsAskedFor) {
  options_.validation_size = 7;
  EXPECT_EQ(spec().validation_size, 7U);
  EXPECT_TRUE(notices_.empty());
}

TEST_F(WithValidation, TakesTheDatasOwn) {
  data_.validation = test::test_data();
  const RunSpec run = spec();
  EXPECT_EQ(run.validation, data_.validation);
  EXPECT_EQ(run.validation_size, 0U);
  EXPECT_TRUE(notices_.empty());
}

}  // namespace
}  // namespace millrace
