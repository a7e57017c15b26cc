#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tools/trainer/options.h"

// The files of recipes/; tests run in the project's root.

namespace millrace {
namespace {

RunSpec recipe(const std::string& name) {
  return parse_options({"--config", "recipes/" + name + ".toml"}).run;
}

TEST(Recipes, AllAreOptionsThatGoTogether) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("recipes")) {
    EXPECT_NO_THROW(recipe(entry.path().stem().string())) << entry.path();
    ++count;
  }
  EXPECT_GE(count, 3U);
}

TEST(Recipes, TheTutorialsIsThePlainNetwork) {
  const RunSpec run = recipe("tutorial");
  EXPECT_EQ(run.hidden, (std::vector<std::uint32_t>{32}));
  EXPECT_EQ(run.epochs, 10U);
  EXPECT_EQ(run.batch, 128U);
  EXPECT_EQ(run.optimizer.kind, OptimizerSpec::Kind::kSgd);
  EXPECT_FALSE(run.augment.enabled());
}

TEST(Recipes, TheCommandLineHasPrecedence) {
  const RunSpec run =
      parse_options({"--config", "recipes/mnist-994.toml", "--epochs", "2", "--seed", "7"}).run;
  EXPECT_EQ(run.epochs, 2U);
  EXPECT_EQ(run.seed, 7U);
  EXPECT_EQ(run.hidden, (std::vector<std::uint32_t>{1024, 1024, 1024}));
  EXPECT_TRUE(run.batch_norm);
  EXPECT_TRUE(run.augment.enabled());
}

}  // namespace
}  // namespace millrace
