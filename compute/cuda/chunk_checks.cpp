#include "compute/cuda/chunk_checks.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace millrace::cuda {

std::size_t sample_bytes(const MlpSpec& model) noexcept {
  return model.features * size_of(model.input);
}

void check_labels(const MlpSpec& model, std::span<const std::int32_t> labels) {
  const auto outside = std::find_if(labels.begin(), labels.end(), [&](std::int32_t label) {
    return label < 0 || static_cast<std::uint32_t>(label) >= model.classes;
  });
  if (outside == labels.end()) return;
  throw std::out_of_range("sample " + std::to_string(outside - labels.begin()) +
                          ": expected a label below " + std::to_string(model.classes) + ", found " +
                          std::to_string(*outside));
}

Chunk checked_packed(const MlpSpec& model, const Chunk& chunk) {
  const std::size_t bytes = chunk.count * sample_bytes(model);
  if (chunk.samples.size() < bytes || chunk.labels.size() < chunk.count) {
    throw std::invalid_argument("chunk: expected " + std::to_string(chunk.count) +
                                " packed samples with labels, found fewer");
  }
  Chunk cut = chunk;
  cut.samples = chunk.samples.first(bytes);
  cut.labels = chunk.labels.first(chunk.count);
  check_labels(model, cut.labels);
  return cut;
}

Chunk checked_indices(const Chunk& chunk, std::size_t size) {
  if (chunk.indices.size() < chunk.count) {
    throw std::invalid_argument("chunk: expected " + std::to_string(chunk.count) +
                                " indices, found " + std::to_string(chunk.indices.size()));
  }
  Chunk cut = chunk;
  cut.indices = chunk.indices.first(chunk.count);
  const auto largest = *std::max_element(cut.indices.begin(), cut.indices.end());
  if (largest >= size) {
    throw std::out_of_range("chunk: expected indices below " + std::to_string(size) + ", found " +
                            std::to_string(largest));
  }
  return cut;
}

}  // namespace millrace::cuda
