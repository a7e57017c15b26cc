#include "train/streaming.h"

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "formats/block_dataset.h"
#include "loader/mixing.h"
#include "loader/stream_order.h"
#include "loader/window_stage.h"
#include "train/placement.h"

namespace millrace {

std::uint64_t stream_window(const RunSpec& spec, const Dataset& train,
                            std::optional<std::uint64_t> recorded) {
  const auto* blocks = dynamic_cast<const BlockDataset*>(&train);
  if (spec.residency == Residency::kStream) {
    if (blocks == nullptr) {
      throw std::invalid_argument(
          train.name() +
          " cannot be streamed: expected images in a seekable .zst file with whole samples in each "
          "frame, which 'tools convert' writes");
    }
    return blocks_of_window(*blocks, spec.window_bytes);
  }
  if (spec.residency != Residency::kAuto || blocks == nullptr) return 0;
  if (recorded) return *recorded == 0 ? 0 : blocks_of_window(*blocks, spec.window_bytes);
  if (!obstacle_to_residency(train, input_type_for(train.dtype()))) return 0;
  return blocks_of_window(*blocks, spec.window_bytes);
}

double stream_mixing(const RunSpec& spec, const RunPlan& plan, const Dataset& train) {
  constexpr std::size_t kJudged = 100'000;
  const auto& data = dynamic_cast<const BlockDataset&>(train);
  std::vector<std::uint64_t> classes(data.classes());
  for (const auto label : data.labels()) ++classes[static_cast<std::size_t>(label)];
  const StreamOrder order(
      data.blocks(), plan.split.train,
      {.window_blocks = plan.window_blocks, .shuffle = spec.shuffle, .seed = spec.seed});
  const auto epoch = order.epoch(0);
  std::vector<std::int32_t> labels;
  for (std::uint64_t window = 0; window < epoch.windows() && labels.size() < kJudged; ++window) {
    for (const auto id : order.samples(epoch, window)) labels.push_back(data.labels()[id]);
  }
  return mixing_score(labels, plan.batch, classes);
}

std::string training_hash(const Dataset& train, std::uint64_t window_blocks) {
  const auto* blocks = dynamic_cast<const BlockDataset*>(&train);
  return window_blocks == 0 || blocks == nullptr ? train.hash() : blocks->fingerprint();
}

}  // namespace millrace
