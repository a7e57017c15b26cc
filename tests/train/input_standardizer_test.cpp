#include "train/input_standardizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <memory>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "formats/safetensors.h"
#include "loader/standardized.h"
#include "tests/support/fake_blocks.h"
#include "tests/support/fake_dataset.h"
#include "tests/support/faulty_dataset.h"
#include "tests/support/files.h"
#include "tests/support/training.h"
#include "train/predictions.h"
#include "train/trained_model.h"

namespace millrace {
namespace {

using test::outcome;
using test::run;

RunSpec standardizing() {
  RunSpec spec = test::small_run();
  spec.standardize = true;
  return spec;
}

// Of the training samples of small_run().
std::shared_ptr<const Standardizer> fitted() {
  const auto part = Split::random(test::training_data()->size(), 40, 42).train;
  return std::make_shared<const Standardizer>(
      fit_standardizer(*test::training_data(), part, false));
}

TEST(InputStandardizer, ARunIsThatOfSamplesStandardisedBefore) {
  const auto by = fitted();
  const RunResult before = run(test::small_run(), standardized(test::training_data(), by),
                               standardized(test::test_data(), by));
  EXPECT_EQ(outcome(run(standardizing())), outcome(before));
  EXPECT_NE(run(test::small_run()).weights_hash, before.weights_hash);
}

TEST(InputStandardizer, ARunIsTheSameWhereverItsSamplesAre) {
  const auto expected = outcome(run(standardizing()));
  for (const auto residency : {Residency::kResident, Residency::kHost}) {
    for (const bool contiguous : {true, false}) {
      RunSpec spec = standardizing();
      spec.residency = residency;
      spec.workers = 3;
      spec.device.threads = 2;
      EXPECT_EQ(outcome(run(spec, test::memory_dataset({.contiguous = contiguous}))), expected);
    }
  }
}

TEST(InputStandardizer, IsTheValidationSetsToo) {
  RunSpec spec = standardizing();
  spec.validation = test::memory_dataset({.size = 50, .seed = 3, .name = "memory-validation"});
  spec.validation_size = 0;
  const auto by = std::make_shared<const Standardizer>(
      fit_standardizer(*test::training_data(), Subset::all(300), false));
  RunSpec plain = spec;
  plain.standardize = false;
  plain.validation = standardized(spec.validation, by);
  EXPECT_EQ(outcome(run(spec)), outcome(run(plain, standardized(test::training_data(), by),
                                            standardized(test::test_data(), by))));
}

TEST(InputStandardizer, IsKeptWithTheModelThatSeesByIt) {
  const test::TempFolder folder;
  RunSpec spec = standardizing();
  spec.checkpoint_dir = folder.path();
  const RunResult result = run(spec);
  const TrainedModel model = load_model(folder / "last.safetensors");
  const auto& sample = model.checkpoint.state.options.sample;
  ASSERT_NE(sample.standardizer, nullptr);
  EXPECT_EQ(*sample.standardizer, *fitted());
  EXPECT_EQ(stored_type(model), InputType::kUInt8);
  EXPECT_EQ(model.spec.input, InputType::kFloat32);
  EXPECT_EQ(model.spec.input_scale, 1.0F);
  const auto engine = make_engine(model, {Device::Kind::kCpu});
  const auto seen = seen_by(model, test::test_data());
  const Metrics metrics =
      predict_all(*engine, model.spec, {seen, Subset::all(seen->size())}, 1, [](const auto&) {});
  EXPECT_EQ(metrics.mean_loss(), result.test_loss);
}

TEST(InputStandardizer, OfAResumedRunIsTheCheckpoints) {
  const test::TempFolder folder;
  RunSpec spec = standardizing();
  spec.checkpoint_dir = folder.path();
  spec.epochs = 1;
  run(spec);
  spec.epochs = 3;
  spec.resume = true;
  EXPECT_EQ(outcome(run(spec)), outcome(run(standardizing())));

  spec.standardize = false;
  EXPECT_NE(test::data_error_of([&] {
              run(spec);
            }).find("standardised samples: checkpoint on, this run off"),
            std::string::npos);
}

TEST(InputStandardizer, OfFirstWeightsIsTheirs) {
  const test::TempFolder folder;
  RunSpec first = standardizing();
  first.checkpoint_dir = folder.path();
  run(first);
  RunSpec tuned = standardizing();
  tuned.init = folder / "last.safetensors";
  tuned.checkpoint_dir = folder / "tuned";
  test::Recorder recorder;
  run(tuned, test::memory_dataset({.seed = 9}), test::test_data(), {&recorder});
  EXPECT_EQ(
      *load_model(folder / "tuned/last.safetensors").checkpoint.state.options.sample.standardizer,
      *fitted())
      << "and not that of the other training samples";
  ASSERT_EQ(recorder.notices.size(), 1U);
  EXPECT_EQ(recorder.notices[0],
            "samples are standardised as those of " + tuned.init.string() + " were");
  tuned.standardize = false;
  EXPECT_NE(test::data_error_of([&] { run(tuned); }).find("expected --standardize on with it"),
            std::string::npos);
}

TEST(InputStandardizer, LeavesOutSamplesThatCannotBeRead) {
  RunSpec spec = standardizing();
  spec.on_bad = OnBad::kSkip;
  spec.bad_budget.share = 1.0;
  const auto bad = std::make_shared<test::FaultyDataset>(test::training_data(),
                                                         std::set<std::uint64_t>{0, 1, 2, 3});
  EXPECT_EQ(run(spec, bad).bad_samples, 4U);
  spec.on_bad = OnBad::kFail;
  EXPECT_THROW(run(spec, bad), DataError);
}

TEST(InputStandardizer, IsNotOfImagesOfBytes) {
  RunSpec spec = standardizing();
  const auto images = test::memory_dataset({.height = 4});
  try {
    run(spec, images, nullptr);
    FAIL() << "accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(),
                 "--standardize: expected samples that are no images, whose bytes are divided by "
                 "255, found 4x5 uint8");
  }
}

// Two classes of float32, of which the second value decides.
class Table : public testing::FakeDataset {
 public:
  explicit Table(float large) : FakeDataset(100, 2, DType::kFloat32) {
    for (std::uint64_t i = 0; i < 100; ++i) put(i, {large, static_cast<float>(i % 2)});
  }
  void put(std::uint64_t sample, std::array<float, 2> row) {
    std::memcpy(bytes().data() + sample * sizeof(row), row.data(), sizeof(row));
  }
  std::uint32_t classes() const noexcept override { return 100; }
};

TEST(InputStandardizer, NamesTheValueThatIsNotFinite) {
  const auto data = std::make_shared<Table>(1.0F);
  data->put(57, {std::numeric_limits<float>::infinity(), 0.0F});
  RunSpec spec = standardizing();
  spec.validation_size = 0;
  EXPECT_EQ(test::data_error_of([&] { run(spec, data, nullptr); }),
            "fake: sample 57, element 0: expected a number that is finite as float32, found inf");
  // Finite, but too far apart.
  for (std::uint64_t i = 0; i < 100; ++i) data->put(i, {i % 2 == 0 ? 3.4e38F : -3.4e38F, 0.0F});
  EXPECT_NO_THROW(run(spec, data, nullptr)) << "their deviation is the largest there can be";
}

// A hundred classes of one sample each, in blocks of ten.
class Blocks : public testing::FakeBlocks {
 public:
  Blocks() : FakeBlocks(std::vector<std::uint64_t>(10, 10), 6) {}
  std::uint32_t classes() const noexcept override { return 100; }
};

TEST(InputStandardizer, IsAStreamsToo) {
  const auto data = std::make_shared<const Blocks>();
  RunSpec spec = standardizing();
  spec.residency = Residency::kStream;
  spec.validation_size = 20;
  spec.window_bytes = 3 * 10 * (6 * sizeof(float) + 16);  // three blocks as they are seen
  const auto by = std::make_shared<const Standardizer>(
      fit_standardizer(*data, Split::random(100, 20, 42).train, false));
  RunSpec plain = spec;
  plain.standardize = false;
  test::Recorder recorder;
  const auto streamed = outcome(run(spec, data, nullptr, {&recorder}));
  EXPECT_EQ(streamed, outcome(run(plain, standardized(data, by), nullptr)));
  EXPECT_EQ(recorder.started.at(0).window_blocks, 3U);
  spec.workers = 3;
  EXPECT_EQ(outcome(run(spec, data, nullptr)), streamed);
}

TEST(InputStandardizer, OfADamagedFileIsRefused) {
  const test::TempFolder folder;
  RunSpec spec = standardizing();
  spec.epochs = 1;
  spec.checkpoint_dir = folder.path();
  run(spec);
  const SafetensorsFile file(folder / "last.safetensors");
  const auto refusal = [&](const auto& edit) {
    std::vector<TensorView> tensors(file.tensors().begin(), file.tensors().end());
    edit(tensors);
    write_safetensors(folder / "edited.safetensors", tensors, file.metadata());
    return test::data_error_of([&] { load_model(folder / "edited.safetensors"); });
  };
  const std::vector<float> zeros(20, 0.0F);
  const auto zero = refusal([&](auto& tensors) {
    std::ranges::find(tensors, "input.std", &TensorView::name)->data =
        std::as_bytes(std::span(zeros));
  });
  EXPECT_NE(zero.find("input.std of numbers above 0, found 0.000000 at element 0"),
            std::string::npos)
      << zero;
  const auto missing = refusal([](auto& tensors) {
    std::erase_if(tensors, [](const auto& t) { return t.name == "input.std"; });
  });
  EXPECT_NE(missing.find("input.std"), std::string::npos) << missing;
}

}  // namespace
}  // namespace millrace
