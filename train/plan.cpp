#include "train/plan.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "formats/error.h"
#include "formats/image_layout.h"
#include "loader/worker_pool.h"
#include "train/class_weights.h"
#include "train/sample_labels.h"

namespace millrace {
namespace {

constexpr std::uint32_t kMaxU32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t kIndexChunkBatches = 64;
constexpr std::uint64_t kPackedChunkBytes = std::uint64_t{4} << 20U;

[[noreturn]] void refuse(const std::string& what, const std::string& expected,
                         const std::string& found) {
  throw std::invalid_argument(what + ": expected " + expected + ", found " + found);
}

void check_rate(const char* what, float rate) {
  if (!std::isfinite(rate) || rate < 0.0F) {
    refuse(what, "a finite number of at least 0", std::to_string(rate));
  }
}

void check_share(const char* what, float share) {
  if (!(share >= 0.0F && share < 1.0F)) {
    refuse(what, "a number from 0 to below 1", std::to_string(share));
  }
}

// What makes sense of classes alone, or of targets alone.
void check_task(const RunSpec& spec, const Dataset& train) {
  const std::string found = describe_labels(train) + " in " + train.name();
  if (train.task() == Task::kClassification) {
    if (spec.stopping.target_r2 > 0.0F) refuse("--target-r2", "targets, numbers to learn", found);
    return;
  }
  const bool multilabel = spec.loss == Loss::kBinaryCrossEntropy;
  if (spec.loss == Loss::kCrossEntropy) refuse("--loss", "mse, mae or huber", name_of(spec.loss));
  if (spec.label_smoothing > 0.0F) refuse("--label-smoothing", "classes", found);
  if (spec.class_weights != ClassWeights{}) refuse("--class-weights", "classes", found);
  if (!multilabel && spec.stopping.target_accuracy > 0.0F) {
    refuse("--target-acc", "classes or labels", found);
  }
  if (multilabel && spec.stopping.target_r2 > 0.0F) {
    refuse("--target-r2", "numbers to learn", "labels, which a sample has or has not");
  }
}

void check_validation(const RunSpec& spec, const Dataset& train) {
  const std::string samples = std::to_string(train.size()) + " samples of " + train.name();
  if (spec.fold.count != 0) {
    if (spec.validation) refuse("--folds", "no validation set beside it", spec.validation->name());
    if (spec.fold.count < 2 || spec.fold.count > train.size()) {
      refuse("--folds", "2 or more, and at most the " + samples, std::to_string(spec.fold.count));
    }
    return;
  }
  if (spec.validation && spec.validation_size > 0) {
    refuse("--val-size", "0 beside a validation set", std::to_string(spec.validation_size));
  }
  const bool to_reach = spec.stopping.target_accuracy > 0.0F || spec.stopping.target_r2 > 0.0F;
  if (to_reach && spec.validation_size == 0 && !spec.validation) {
    refuse(spec.stopping.target_accuracy > 0.0F ? "--target-acc" : "--target-r2",
           "validation samples to reach it on", "none");
  }
  if (spec.validation_size >= train.size()) {
    refuse("--val-size", "fewer than the " + samples, std::to_string(spec.validation_size));
  }
}

void check_spec(const RunSpec& spec, const Dataset& train) {
  if (spec.batch == 0) refuse("--batch", "at least 1", "0");
  if (spec.on_bad == OnBad::kLeaveOut) refuse("--on-bad", "fail, skip or substitute", "leave out");
  if (!(spec.bad_budget.share >= 0.0 && spec.bad_budget.share <= 1.0)) {
    refuse("--bad-budget", "a share from 0 to 1", std::to_string(spec.bad_budget.share));
  }
  if (spec.accumulate == 0) refuse("--accumulate", "at least 1 batch", "0");
  if (std::uint64_t{spec.batch} * spec.accumulate > kMaxU32) {
    refuse("--accumulate", "at most " + std::to_string(kMaxU32) + " samples of a step",
           std::to_string(std::uint64_t{spec.batch} * spec.accumulate));
  }
  check_rate("--clip-norm", spec.optimizer.clip_norm);
  check_share("--ema", spec.optimizer.ema);
  if (spec.slots == 0) refuse("--slots", "at least 1", "0");
  if (std::ranges::count(spec.hidden, 0U) != 0) refuse("--hidden", "widths of at least 1", "0");
  check_rate("--lr", spec.optimizer.learning_rate);
  check_rate("--momentum", spec.optimizer.momentum);
  check_rate("--weight-decay", spec.optimizer.weight_decay);
  check_share("--dropout", spec.dropout);
  check_share("--label-smoothing", spec.label_smoothing);
  if (spec.standardize && train.dtype() == DType::kUInt8 && image_layout_of(train.shape())) {
    refuse("--standardize", "samples that are no images, whose bytes are divided by 255",
           describe_samples(train));
  }
  if (spec.augment.enabled()) {
    if (spec.residency == Residency::kResident) {
      refuse("--residency", "host or auto for samples that workers distort", "resident");
    }
    const Augmenter refuses(spec.augment, train.shape(), train.dtype(), spec.seed);
  }
  if (spec.batch_norm && spec.batch == 1) refuse("--batch-norm", "a --batch above 1", "1");
  check_rate("--target-acc", spec.stopping.target_accuracy);
  check_rate("--target-r2", spec.stopping.target_r2);
  check_task(spec, train);
  check_validation(spec, train);
}

// Only called where the test set may have labels that the training set has not.
void check_test_labels(const Dataset& test, std::uint32_t classes) {
  constexpr std::uint64_t kBlock = 4096;
  const auto view = test.contiguous();
  std::vector<std::uint64_t> ids;
  std::vector<std::byte> samples;
  std::vector<std::int32_t> labels;
  for (std::uint64_t first = 0; first < test.size(); first += kBlock) {
    const auto count = static_cast<std::size_t>(std::min(kBlock, test.size() - first));
    std::span<const std::int32_t> block;
    if (view.labels.empty()) {
      ids.resize(count);
      for (std::size_t i = 0; i < count; ++i) ids[i] = first + i;
      samples.resize(count * test.sample_bytes());
      labels.resize(count);
      test.read(ids, samples, labels);
      block = labels;
    } else {
      block = view.labels.subspan(first, count);
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (block[i] < 0 || static_cast<std::uint32_t>(block[i]) >= classes) {
        throw DataError(
            test.name(), std::nullopt,
            "labels below " + std::to_string(classes) + ", as in the training set",
            "label " + std::to_string(block[i]) + " of sample " + std::to_string(first + i));
      }
    }
  }
}

void check_test(const Dataset& train, const Dataset& test) {
  if (test.shape() != train.shape()) {
    throw DataError(test.name(), std::nullopt,
                    "samples of " + train.shape().text() + ", as in the training set",
                    "samples of " + test.shape().text());
  }
  if (test.dtype() != train.dtype()) {
    throw DataError(test.name(), std::nullopt,
                    std::string(name_of(train.dtype())) + " samples, as in the training set",
                    std::string(name_of(test.dtype())));
  }
  if (test.targets() != train.targets()) {
    throw DataError(test.name(), std::nullopt, describe_labels(train) + ", as in the training set",
                    describe_labels(test));
  }
  if (test.classes() > train.classes()) check_test_labels(test, train.classes());
}

MlpSpec model_of(const RunSpec& spec, const Dataset& train) {
  const std::uint64_t features = train.shape().elements();
  if (features == 0 || features > kMaxU32) {
    throw DataError(train.name(), std::nullopt, "samples of 1 to 4294967295 values",
                    std::to_string(features));
  }
  MlpSpec model;
  model.features = static_cast<std::uint32_t>(features);
  model.input = spec.standardize ? InputType::kFloat32 : input_type_for(train.dtype());
  model.input_scale = input_scale_of(model.input);
  model.hidden = spec.hidden;
  model.classes = train.task() == Task::kRegression ? train.targets() : train.classes();
  model.batch_norm = spec.batch_norm;
  model.dropout = spec.dropout;
  model.activation = spec.activation;
  if (train.task() == Task::kRegression) model.loss = spec.loss;
  return model;
}

}  // namespace

float input_scale_of(InputType input) noexcept {
  return input == InputType::kUInt8 ? 1.0F / 255.0F : 1.0F;
}

RunPlan make_plan(const RunSpec& spec, const Dataset& train, const Dataset* test) {
  check_spec(spec, train);
  for (const auto* other : {test, spec.validation.get()}) {
    if (other != nullptr) check_test(train, *other);
  }
  RunPlan plan;
  plan.model = model_of(spec, train);
  for (const Dataset* data : {&train, test, spec.validation.get()}) {
    if (plan.model.multilabel() && data != nullptr) check_sample_labels(*data);
  }
  plan.split = Split::of(train.size(), spec.validation_size, spec.fold, spec.seed);
  const std::uint64_t samples = plan.split.train.size();
  plan.batch = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(std::uint64_t{spec.batch} * spec.accumulate, samples));
  plan.steps_per_epoch = (samples + plan.batch - 1) / plan.batch;
  plan.train = {plan.batch,
                spec.optimizer,
                spec.precision,
                spec.seed,
                spec.label_smoothing,
                spec.initializer,
                spec.accumulate > 1 ? spec.batch : 0,
                resolve(spec.class_weights, train)};
  plan.workers = spec.workers;
  return plan;
}

std::uint32_t workers_beside(const EngineInfo& engine, const RunSpec& spec, const Dataset& train) {
  if (spec.workers != 0 || !engine.runs_ahead || train.contiguous().samples.empty()) {
    return spec.workers;
  }
  return std::max(1U, WorkerPool::resolve(0) - 1);
}

std::uint32_t chunk_batches(const RunSpec& spec, const RunPlan& plan, ChunkKind kind) {
  std::uint64_t batches = spec.chunk_batches;
  if (batches == 0) {
    const std::uint64_t batch_bytes =
        std::uint64_t{plan.batch} *
        (std::uint64_t{plan.model.features} * size_of(plan.model.input) +
         plan.model.label_words() * sizeof(std::int32_t));
    batches =
        kind == ChunkKind::kIndices
            ? kIndexChunkBatches
            : std::clamp<std::uint64_t>(kPackedChunkBytes / batch_bytes, 1, kIndexChunkBatches);
  }
  // A chunk counts its samples in 32 bits.
  const std::uint64_t limit = std::min<std::uint64_t>(plan.steps_per_epoch, kMaxU32 / plan.batch);
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(batches, 1, limit));
}

std::uint32_t evaluation_batch(const MlpSpec& model) {
  constexpr std::uint64_t kFlops = 2'000'000'000;
  const std::uint64_t by_time = kFlops / (2 * model.parameter_count());
  const std::uint64_t by_size =
      kPackedChunkBytes / (std::uint64_t{model.features} * size_of(model.input));
  const auto rows = std::clamp<std::uint64_t>(std::min(by_time, by_size), 64, 4096);
  return static_cast<std::uint32_t>(std::bit_floor(rows));
}

}  // namespace millrace
