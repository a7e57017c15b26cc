#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "formats/error.h"
#include "formats/folder.h"
#include "formats/mapped_file.h"
#include "formats/seek_table.h"
#include "tests/support/faulty_dataset.h"
#include "tests/support/files.h"
#include "tests/support/idx_files.h"
#include "tests/support/seekable.h"
#include "tests/support/training.h"
#include "train/checkpoint.h"

// Runs on data of which not everything can be read.

namespace millrace {
namespace {

using test::outcome;
using test::Recorder;
using test::run;
using test::small_run;

class Hearing final : public Recorder {
 public:
  void on_bad_sample(const std::string& dataset, const BadSample& sample) override {
    bad.push_back(dataset + ' ' + std::to_string(sample.id));
  }
  std::vector<std::string> bad;
};

const std::set<std::uint64_t> kBad{3, 4, 5, 77, 140, 141, 299};

std::shared_ptr<const Dataset> damaged(const std::set<std::uint64_t>& bad = kBad) {
  return std::make_shared<test::FaultyDataset>(test::training_data(), bad);
}

RunSpec tolerant_run(OnBad on_bad) {
  RunSpec spec = small_run();
  spec.on_bad = on_bad;
  spec.bad_budget.count = 10;
  return spec;
}

TEST(BadSamples, FailARunThatDoesNotSayOtherwise) {
  try {
    run(small_run(), damaged());
    FAIL() << "expected an error";
  } catch (const DataError& error) {
    EXPECT_STREQ(error.what(), "faulty.bin: byte 60: expected sample 3, found noise");
  }
}

TEST(BadSamples, AreNoMatterWhereThereAreNone) {
  const std::string expected = outcome(run(small_run()));
  for (const OnBad on_bad : {OnBad::kSkip, OnBad::kSubstitute}) {
    EXPECT_EQ(outcome(run(tolerant_run(on_bad))), expected);
    EXPECT_EQ(outcome(run(tolerant_run(on_bad), damaged({}))), expected);
  }
}

TEST(BadSamples, GiveTheSameBitsWhateverTheThreadsSlotsChunksAndResidency) {
  for (const OnBad on_bad : {OnBad::kSkip, OnBad::kSubstitute}) {
    const std::string expected = outcome(run(tolerant_run(on_bad), damaged()));
    for (const Residency residency : {Residency::kResident, Residency::kHost}) {
      for (const std::uint32_t n : {1U, 2U, 3U}) {
        RunSpec spec = tolerant_run(on_bad);
        spec.residency = residency;
        spec.workers = n;
        spec.slots = n;
        spec.chunk_batches = 4 * n - 3;
        spec.device.threads = n;
        EXPECT_EQ(outcome(run(spec, damaged())), expected) << name_of(on_bad) << n;
      }
    }
  }
  EXPECT_NE(outcome(run(tolerant_run(OnBad::kSkip), damaged())),
            outcome(run(tolerant_run(OnBad::kSubstitute), damaged())));
  EXPECT_NE(outcome(run(tolerant_run(OnBad::kSkip), damaged())),
            outcome(run(tolerant_run(OnBad::kSkip), damaged({3}))));
}

TEST(BadSamples, MeanTheSameAfterAResumption) {
  for (const OnBad on_bad : {OnBad::kSkip, OnBad::kSubstitute}) {
    for (const Residency residency : {Residency::kResident, Residency::kHost}) {
      const std::string expected = outcome(run(tolerant_run(on_bad), damaged()));
      const test::TempFolder folder;
      RunSpec spec = tolerant_run(on_bad);
      spec.checkpoint_dir = folder.path();
      spec.checkpoint_every = 20;
      run(spec, damaged());
      RunSpec rest = tolerant_run(on_bad);
      rest.residency = residency;
      rest.resume = true;
      rest.resume_from = folder / "step-20.safetensors";
      Hearing hearing;
      EXPECT_EQ(outcome(run(rest, damaged(), test::test_data(), {&hearing})), expected);
      EXPECT_EQ(hearing.notices, std::vector<std::string>());
    }
  }
}

TEST(BadSamples, MayBeTakenOtherwiseFromACheckpointOn) {
  const test::TempFolder folder;
  RunSpec spec = tolerant_run(OnBad::kFail);
  spec.checkpoint_dir = folder.path();
  spec.epochs = 1;
  run(spec, damaged({}));
  spec = tolerant_run(OnBad::kSkip);
  spec.resume = true;
  spec.resume_from = folder / "last.safetensors";
  Hearing hearing;
  run(spec, damaged({}), nullptr, {&hearing});
  EXPECT_EQ(hearing.notices,
            std::vector<std::string>{"bad samples: checkpoint fail, this run skip"});
}

TEST(BadSamples, AreToldOnceEach) {
  for (const Residency residency : {Residency::kResident, Residency::kHost}) {
    RunSpec spec = tolerant_run(OnBad::kSubstitute);
    spec.residency = residency;
    Hearing hearing;
    const RunResult result =
        run(spec, damaged(),
            std::make_shared<test::FaultyDataset>(test::test_data(), std::set<std::uint64_t>{8}),
            {&hearing});
    EXPECT_EQ(result.bad_samples, kBad.size());
    EXPECT_EQ(result.bad_test_samples, 1U);
    std::vector<std::string> expected{"memory-test 8"};
    for (const auto id : kBad) expected.push_back("memory " + std::to_string(id));
    std::ranges::sort(expected);
    std::ranges::sort(hearing.bad);
    EXPECT_EQ(hearing.bad, expected);
    ASSERT_EQ(hearing.started.size(), 1U);
    EXPECT_EQ(hearing.started[0].bad_budget, 10U);
  }
}

// The model does not change: what is measured are the other samples.
TEST(BadSamples, AreLeftOutOfWhatIsMeasured) {
  RunSpec spec = tolerant_run(OnBad::kSubstitute);
  spec.optimizer.learning_rate = 0.0F;
  spec.epochs = 1;
  const double whole = *run(spec).test_acc * 90;
  for (const Residency residency : {Residency::kResident, Residency::kHost}) {
    spec.residency = residency;
    double lost = 0;
    for (const std::uint64_t id : {0U, 17U, 89U}) {
      const auto one =
          std::make_shared<test::FaultyDataset>(test::test_data(), std::set<std::uint64_t>{id});
      const double right = *run(spec, test::training_data(), one).test_acc * 89;
      EXPECT_NEAR(right, std::round(right), 1e-9);
      EXPECT_TRUE(std::abs(right - whole) < 1e-9 || std::abs(right + 1 - whole) < 1e-9);
      lost += whole - right;
    }
    const auto all = std::make_shared<test::FaultyDataset>(test::test_data(),
                                                           std::set<std::uint64_t>{0, 17, 89});
    EXPECT_NEAR(*run(spec, test::training_data(), all).test_acc * 87, whole - lost, 1e-9);
  }
}

TEST(BadSamples, OverBudgetEndTheRunAndLeaveTheCheckpoints) {
  const test::TempFolder folder;
  RunSpec spec = small_run();
  spec.epochs = 1;
  spec.checkpoint_dir = folder.path();
  const auto before = outcome(run(spec));
  spec.on_bad = OnBad::kSkip;
  spec.bad_budget.count = 6;
  spec.epochs = 3;
  for (const Residency residency : {Residency::kResident, Residency::kHost}) {
    spec.residency = residency;
    try {
      run(spec, damaged());
      FAIL() << "expected an error";
    } catch (const DataError& error) {
      const std::string line = error.what();
      EXPECT_NE(line.find("memory: 7 of 300 samples cannot be read"), std::string::npos) << line;
      EXPECT_NE(line.find("is 6: sample "), std::string::npos) << line;
      EXPECT_EQ(line.find('\n'), std::string::npos);
    }
  }
  EXPECT_NO_THROW(load_checkpoint(folder / "last.safetensors"));
}

TEST(BadSamples, ThatAreAllThereIsEndTheRunSoon) {
  std::set<std::uint64_t> all;
  for (std::uint64_t id = 0; id < 300; ++id) all.insert(id);
  for (const Residency residency : {Residency::kResident, Residency::kHost}) {
    for (const OnBad on_bad : {OnBad::kSkip, OnBad::kSubstitute}) {
      RunSpec spec = tolerant_run(on_bad);
      spec.residency = residency;
      EXPECT_THROW(run(spec, damaged(all)), DataError);
      spec.bad_budget.count = 300;
      EXPECT_THROW(run(spec, damaged(all)), DataError);
    }
  }
}

/// Puts another picture in a picture's place when an epoch has ended.
class Editing final : public Recorder {
 public:
  explicit Editing(std::filesystem::path image) : image_(std::move(image)) {}
  void on_epoch(const EpochResult&) override {
    const auto other = image_.parent_path().parent_path() / "other";
    test::write_bytes(other, test::make_bytes("P5 2 2 255\nabcd"));
    std::filesystem::last_write_time(
        other, std::filesystem::last_write_time(image_) + std::chrono::seconds(1));
    std::filesystem::rename(other, image_);
  }
  void on_bad_sample(const std::string&, const BadSample&) override { ++bad; }
  int bad = 0;

 private:
  std::filesystem::path image_;
};

TEST(BadSamples, ArePicturesThatAreEditedDuringTheRunNot) {
  for (const Residency residency : {Residency::kHost, Residency::kStream}) {
    for (const OnBad on_bad : {OnBad::kFail, OnBad::kSkip, OnBad::kSubstitute}) {
      const test::TempFolder folder;
      std::filesystem::create_directory(folder / "a");
      for (int i = 10; i < 50; ++i) {
        test::write_bytes(
            folder / "a" / (std::to_string(i) + ".pgm"),
            test::make_bytes("P5 2 2 255\nefg" + std::string(1, static_cast<char>(i))));
      }
      RunSpec spec = tolerant_run(on_bad);
      spec.residency = residency;
      spec.validation_size = 0;
      spec.epochs = 1000;
      Editing editing(folder / "a" / "17.pgm");
      EXPECT_EQ(test::data_error_of([&] {
                  run(spec, open_folder(folder.path(), {.in_blocks = true}).train, nullptr,
                      {&editing});
                }),
                (folder / "a" / "17.pgm").string() +
                    ": expected the file of 15 bytes that was there as its folder was opened, "
                    "found one that was written to since");
      EXPECT_EQ(editing.bad, 0);
    }
  }
}

class BadBlocks : public testing::Test {
 protected:
  BadBlocks() {
    spec_.validation_size = 300;
    spec_.hidden = {8};
    spec_.batch = 50;
    spec_.epochs = 3;
    spec_.optimizer.learning_rate = 0.05F;
    spec_.residency = Residency::kStream;
    spec_.window_bytes = 400'000;
    spec_.bad_budget.share = 0.5;
  }

  // The stored bytes of a block: its last ones are part of its checksum.
  void damage(std::size_t block) {
    const MappedFile file(set_.images);
    const auto table = read_seek_table(set_.images, file.bytes());
    const auto& frame = table->frames()[block + 1];
    std::fstream out(set_.images, std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(static_cast<std::streamoff>(frame.stored_at + frame.stored / 2));
    out.write("\x55\xaa\x55\xaa", 4);
    bad_ += data_->blocks()[block].count;
  }

  std::string weights(const RunSpec& spec, std::vector<TrainObserver*> observers = {}) {
    const RunResult result = run(spec, set_.open(), nullptr, std::move(observers));
    EXPECT_EQ(result.bad_samples, bad_);
    return result.weights_hash;
  }

  static constexpr std::uint32_t kCount = 3000;
  test::SeekableSet set_{kCount};
  std::shared_ptr<const BlockDataset> data_ = set_.open();
  std::uint64_t bad_ = 0;
  RunSpec spec_;
};

TEST_F(BadBlocks, EndAStreamThatDoesNotSayOtherwise) {
  damage(2);
  EXPECT_THROW(run(spec_, set_.open(), nullptr), DataError);
}

TEST_F(BadBlocks, OfAStreamGiveTheSameBitsWhateverTheWorkersAndAfterAResumption) {
  ASSERT_GT(data_->blocks().size(), 6U);
  damage(0);
  damage(3);
  for (const OnBad on_bad : {OnBad::kSkip, OnBad::kSubstitute}) {
    // A window of one block is a window of which nothing is left.
    for (const std::uint64_t window : {400'000U, 1U}) {
      spec_.on_bad = on_bad;
      spec_.window_bytes = window;
      spec_.epochs = window == 1 ? 1 : 3;
      const std::string expected = weights(spec_);
      for (const std::uint32_t n : {1U, 3U}) {
        RunSpec spec = spec_;
        spec.workers = n;
        spec.slots = n;
        spec.chunk_batches = 4 * n;
        EXPECT_EQ(weights(spec), expected) << n;
      }
      if (window == 1) continue;
      const test::TempFolder folder;
      RunSpec half = spec_;
      half.checkpoint_dir = folder.path();
      half.checkpoint_every = 70;
      EXPECT_EQ(weights(half), expected);
      RunSpec rest = spec_;
      rest.resume = true;
      rest.resume_from = folder / "step-70.safetensors";
      EXPECT_EQ(weights(rest), expected);
    }
  }
}

TEST_F(BadBlocks, OfAFileThatIsNotStreamedGiveTheSameBitsEverywhere) {
  damage(1);
  spec_.on_bad = OnBad::kSubstitute;
  spec_.residency = Residency::kResident;
  const std::string expected = weights(spec_);
  spec_.residency = Residency::kHost;
  spec_.workers = 2;
  EXPECT_EQ(weights(spec_), expected);
}

}  // namespace
}  // namespace millrace
