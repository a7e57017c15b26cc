#include "train/loader_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "formats/block_dataset.h"
#include "loader/gather.h"
#include "train/byte_counts.h"

namespace millrace {
namespace {

// In doubles: the most slots of the largest chunks are no overflow. As an engine takes them, each
// with its label.
double bytes_of_samples(const Dataset& data, double samples) {
  const auto values = static_cast<double>(data.shape().elements());
  return samples * (values * static_cast<double>(size_of(input_type_for(data.dtype()))) +
                    static_cast<double>(data.label_words()) * sizeof(std::int32_t));
}

double bytes_of_a_chunk(const LoaderSpec& spec) {
  const double samples = std::min(static_cast<double>(spec.batch) * spec.chunk_batches,
                                  static_cast<double>(spec.subset.size()));
  if (spec.kind == ChunkKind::kIndices) return samples * sizeof(std::uint32_t);
  return bytes_of_samples(*spec.data, samples);
}

double bytes_of_windows(const LoaderSpec& spec) {
  if (spec.window_blocks == 0) return 0.0;
  const auto& data = dynamic_cast<const BlockDataset&>(*spec.data);
  const auto blocks = static_cast<double>(data.blocks().size());
  const double share = std::min(static_cast<double>(spec.window_blocks) / blocks, 1.0);
  const double windows = std::min(2.0, std::ceil(1.0 / share) * static_cast<double>(spec.epochs));
  const auto row =
      static_cast<double>(padded_row(data.sample_bytes()) +
                          data.label_words() * sizeof(std::int32_t) + sizeof(std::uint64_t));
  return windows * share * static_cast<double>(spec.subset.size()) * row;
}

}  // namespace

LoaderMemory loader_memory(const LoaderSpec& spec) {
  const double chunks = std::ceil(static_cast<double>(spec.subset.size()) /
                                  (static_cast<double>(spec.batch) * spec.chunk_batches)) *
                        static_cast<double>(spec.epochs);
  return {whole_bytes(bytes_of_a_chunk(spec) * std::min(static_cast<double>(spec.slots), chunks)),
          whole_bytes(bytes_of_windows(spec))};
}

void check_loader_memory(const LoaderSpec& spec, std::uint64_t bytes) {
  const LoaderMemory memory = loader_memory(spec);
  if (memory.slots <= bytes && memory.windows <= bytes - memory.slots) return;
  if (memory.windows > memory.slots) {
    throw std::invalid_argument(fmt::format(
        "--shuffle-window: expected two windows that fit in the {} of memory at hand, found some "
        "that need {}",
        size_text(bytes), size_text(memory.windows)));
  }
  throw std::invalid_argument(fmt::format(
      "--slots: expected chunks that fit in the {} of memory at hand, found {} of {} batches of {} "
      "samples, which need {}",
      size_text(bytes), spec.slots, spec.chunk_batches, spec.batch, size_text(memory.slots)));
}

void check_gathered_memory(const Dataset& data, std::uint64_t samples, std::uint64_t bytes) {
  const std::uint64_t needed = whole_bytes(bytes_of_samples(data, static_cast<double>(samples)));
  if (needed <= bytes) return;
  throw std::invalid_argument(
      fmt::format("--val-size: expected samples that fit in the {} of memory at hand, where a "
                  "stream keeps them, found {} that need {}",
                  size_text(bytes), samples, size_text(needed)));
}

}  // namespace millrace
