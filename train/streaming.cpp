#include "train/streaming.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <vector>

#include "compute/stage.h"
#include "formats/block_dataset.h"
#include "loader/mixing.h"
#include "loader/readable.h"
#include "loader/stream_order.h"
#include "loader/window_stage.h"

namespace millrace {
namespace {

// A window of a stream in the stored order: enough blocks for all cores.
constexpr std::uint64_t kStoredOrderBytes = std::uint64_t{8} << 20;

constexpr std::size_t kTenths = 10;

// By what mixing is judged where there are no classes: in which tenth of the samples each is, by
// its first target.
std::vector<std::int32_t> tenths_of(const BlockDataset& data) {
  constexpr std::uint64_t kLooked = 100'000;
  const auto words = data.labels();
  const auto target = [&](std::uint64_t id) { return target_of(words[id * data.label_words()]); };
  const std::uint64_t stride = std::max<std::uint64_t>(1, data.size() / kLooked);
  std::vector<float> some;
  for (std::uint64_t id = 0; id < data.size(); id += stride) some.push_back(target(id));
  std::ranges::sort(some);
  std::vector<float> bounds;
  for (std::size_t i = 1; i < kTenths; ++i) bounds.push_back(some[i * some.size() / kTenths]);
  std::vector<std::int32_t> tenths(data.size());
  for (std::uint64_t id = 0; id < data.size(); ++id) {
    tenths[id] =
        static_cast<std::int32_t>(std::ranges::upper_bound(bounds, target(id)) - bounds.begin());
  }
  return tenths;
}

}  // namespace

std::uint64_t stream_window(const RunSpec& spec, const Dataset& train,
                            std::optional<std::uint64_t> recorded) {
  const auto* blocks = dynamic_cast<const BlockDataset*>(&train);
  if (spec.residency == Residency::kStream && blocks == nullptr) {
    throw std::invalid_argument(train.name() +
                                " cannot be streamed: expected a data set in blocks "
                                "(OpenOptions::in_blocks)");
  }
  bool streams = spec.residency == Residency::kStream;
  if (spec.residency == Residency::kAuto && blocks != nullptr) {
    streams = recorded ? *recorded != 0
                       : obstacle_to_residency(train, input_type_for(train.dtype())).has_value();
  }
  return streams ? blocks_of_window(*blocks, spec.window_bytes) : 0;
}

Placement in_stored_order(Placement placed, const Dataset& data) {
  const auto* blocks = dynamic_cast<const BlockDataset*>(&data);
  if (placed.kind == ChunkKind::kPacked && blocks != nullptr) {
    placed.window_blocks = blocks_of_window(*blocks, kStoredOrderBytes);
  }
  return placed;
}

double stream_mixing(const RunSpec& spec, const RunPlan& plan, const Dataset& train) {
  constexpr std::size_t kJudged = 100'000;
  const auto& data = dynamic_cast<const BlockDataset&>(train);
  const auto tenths =
      data.task() == Task::kRegression ? tenths_of(data) : std::vector<std::int32_t>{};
  const std::span<const std::int32_t> all = tenths.empty() ? data.labels() : std::span(tenths);
  std::vector<std::uint64_t> classes(tenths.empty() ? data.classes() : kTenths);
  for (const auto label : all) ++classes[static_cast<std::size_t>(label)];
  const StreamOrder order(
      data.blocks(), plan.split.train,
      {.window_blocks = plan.window_blocks, .shuffle = spec.shuffle, .seed = spec.seed});
  const auto epoch = order.epoch(0);
  std::vector<std::int32_t> labels;
  for (std::uint64_t window = 0; window < epoch.windows() && labels.size() < kJudged; ++window) {
    for (const auto id : order.samples(epoch, window)) labels.push_back(all[id]);
  }
  return mixing_score(labels, plan.batch, classes);
}

std::string training_hash(const Dataset& train, std::uint64_t window_blocks, OnBad on_bad) {
  const StageSpan span(Stage::kLoad);
  const auto* blocks = dynamic_cast<const BlockDataset*>(&train);
  if (window_blocks != 0 && blocks != nullptr) {
    if (auto fingerprint = blocks->fingerprint()) return *fingerprint;
  }
  return on_bad == OnBad::kFail ? train.hash() : hash_readable(train);
}

}  // namespace millrace
