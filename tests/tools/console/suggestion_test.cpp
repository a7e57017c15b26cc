#include "tools/console/suggestion.h"

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace millrace {
namespace {

TEST(EditDistance, CountsEachKindOfEditOnce) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("epochs", "epochs"), 0U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("epoch", "epochs"), 1U);    // insertion
  EXPECT_EQ(edit_distance("epochss", "epochs"), 1U);  // deletion
  EXPECT_EQ(edit_distance("epacks", "epochs"), 2U);   // substitutions
  EXPECT_EQ(edit_distance("ephocs", "epochs"), 1U + 1U);
  EXPECT_EQ(edit_distance("epcohs", "epochs"), 1U);  // a swap
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  // Optimal string alignment: "ca" -> "abc" would be 2 with edits of edited parts.
  EXPECT_EQ(edit_distance("ca", "abc"), 3U);
}

TEST(EditDistance, IsSymmetric) {
  EXPECT_EQ(edit_distance("momentum", "mometnm"), edit_distance("mometnm", "momentum"));
}

TEST(Nearest, FindsTheLeastDistance) {
  const std::array<std::string, 4> options{"--epochs", "--batch", "--keep", "--threads"};
  EXPECT_EQ(nearest("--epoch", options), "--epochs");
  EXPECT_EQ(nearest("--bacth", options), "--batch");
  EXPECT_EQ(nearest("--thread", options), "--threads");
}

TEST(Nearest, KnowsBeginnings) {
  const std::array<std::string, 2> options{"--batch", "--val-size"};
  EXPECT_EQ(nearest("--batch-size", options), "--batch");
  EXPECT_EQ(nearest("--val", options), "--val-size");
}

TEST(Nearest, PrefersAWholeWordThatWasExtended) {
  const std::vector<std::string> options{"batch-norm", "batch"};
  EXPECT_EQ(nearest("batch-size", options), "batch");
  EXPECT_EQ(nearest("batch-nrom", options), "batch-norm");
}

TEST(Nearest, FindsNothingFarAway) {
  const std::array<std::string, 2> options{"--epochs", "--batch"};
  EXPECT_EQ(nearest("--learning", options), std::nullopt);
  EXPECT_EQ(nearest("-x", options), std::nullopt);
  EXPECT_EQ(nearest("--epochs", std::span<const std::string>()), std::nullopt);
}

TEST(NearestOption, KnowsWhatOthersCallIt) {
  const std::vector<std::string> options{"--lr", "--step-epochs", "--epochs", "--device"};
  EXPECT_EQ(nearest_option("--learning-rate", options), "--lr");
  EXPECT_EQ(nearest_option("--learning_rate", options), "--lr");
  EXPECT_EQ(nearest_option("--max_epochs", options), "--epochs");
  EXPECT_EQ(nearest_option("--step_epochs", options), "--step-epochs");
  EXPECT_EQ(nearest_option("--gpu", options), "--device");
  EXPECT_EQ(nearest_option("--validation-split", std::vector<std::string>{"--val-size"}),
            "--val-size");
  EXPECT_EQ(nearest_option("--num-workers", options), std::nullopt) << "of another command";
  EXPECT_EQ(nearest_option("learning_rate", std::vector<std::string>{"lr"}), "lr");
}

}  // namespace
}  // namespace millrace
