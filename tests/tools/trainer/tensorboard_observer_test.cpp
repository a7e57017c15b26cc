#include "tools/trainer/tensorboard_observer.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/support/files.h"
#include "tests/support/protobuf_reader.h"
#include "tests/support/tf_records.h"
#include "tests/support/training.h"

namespace millrace {
namespace {

using test::ProtoReader;

// Scalars by tag and step, and how many histograms a step has.
struct Told {
  std::map<std::string, std::map<std::int64_t, float>> scalars;
  std::map<std::int64_t, int> histograms;
  int images = 0;
};

Told told_in(const std::filesystem::path& path) {
  std::string file;
  for (const std::byte b : test::read_bytes(path)) file += static_cast<char>(b);
  Told told;
  for (const std::string& record : test::tf_records(file)) {
    const ProtoReader event(record);
    if (event.all(5).empty()) continue;
    for (const auto& field : event.message(5).all(1)) {
      const ProtoReader value(field.bytes);
      if (!value.all(2).empty()) told.scalars[value.text(1)][event.integer(2)] = value.real32(2);
      if (!value.all(5).empty()) ++told.histograms[event.integer(2)];
      if (!value.all(4).empty()) ++told.images;
    }
  }
  return told;
}

TEST(TensorboardObserver, TellsWhatTheRunSays) {
  const test::TempFolder folder;
  Console console("test", true);
  TensorboardObserver observer(folder / "tb", false, console);
  EXPECT_TRUE(folder.names().empty());
  const RunSpec spec = test::small_run();
  Trainer trainer(spec, test::training_data(), test::test_data(), {&observer});
  observer.begin(trainer.engine(), *test::training_data());
  const std::atomic<bool> never{false};
  const RunResult result = trainer.fit(never);

  const auto file = std::filesystem::directory_iterator(folder / "tb")->path();
  const Told told = told_in(file);
  for (const EpochResult& epoch : result.history) {
    const auto step = static_cast<std::int64_t>(epoch.epoch);
    EXPECT_EQ(told.scalars.at("loss/train").at(step), static_cast<float>(epoch.train_loss));
    EXPECT_EQ(told.scalars.at("loss/validation").at(step), static_cast<float>(*epoch.val_loss));
    EXPECT_EQ(told.scalars.at("accuracy/train").at(step), static_cast<float>(epoch.train_acc));
    EXPECT_EQ(told.scalars.at("accuracy/validation").at(step), static_cast<float>(*epoch.val_acc));
    EXPECT_EQ(told.scalars.at("learning_rate").at(step), static_cast<float>(*epoch.learning_rate));
    EXPECT_GT(told.scalars.at("samples_per_s").at(step), 0.0F);
    EXPECT_EQ(told.histograms.at(step), 6);
  }
  EXPECT_EQ(told.scalars.at("accuracy/test").at(2), static_cast<float>(*result.test_acc));
  EXPECT_EQ(told.scalars.at("loss/test").at(2), static_cast<float>(*result.test_loss));
  EXPECT_EQ(told.images, 0);  // samples of 20 values are no pictures
  EXPECT_FALSE(observer.failed());
}

TEST(FirstPictures, AreNoneWhereSamplesAreNoPictures) {
  EXPECT_TRUE(first_pictures(*test::training_data(), 4).empty());
}

}  // namespace
}  // namespace millrace
