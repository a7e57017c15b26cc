#include "compute/chunk_checks.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <stdexcept>
#include <string>

namespace millrace {
namespace {

void check_targets(const MlpSpec& model, std::span<const std::int32_t> words) {
  const bool multilabel = model.multilabel();
  const auto outside = std::ranges::find_if(words, [multilabel](std::int32_t word) {
    const auto target = std::bit_cast<float>(word);
    return multilabel ? target != 0.0F && target != 1.0F : !std::isfinite(target);
  });
  if (outside == words.end()) return;
  const auto at = static_cast<std::size_t>(outside - words.begin());
  throw std::out_of_range(
      "sample " + std::to_string(at / model.label_words()) + ", target " +
      std::to_string(at % model.label_words()) +
      (multilabel ? ": expected 0 or 1, found " : ": expected a finite number, found ") +
      std::to_string(std::bit_cast<float>(*outside)));
}

void check_labels(const MlpSpec& model, std::span<const std::int32_t> labels) {
  if (model.has_targets()) return check_targets(model, labels);
  const auto outside = std::find_if(labels.begin(), labels.end(), [&](std::int32_t label) {
    return label < 0 || static_cast<std::uint32_t>(label) >= model.classes;
  });
  if (outside == labels.end()) return;
  throw std::out_of_range("sample " + std::to_string(outside - labels.begin()) +
                          ": expected a label below " + std::to_string(model.classes) + ", found " +
                          std::to_string(*outside));
}

}  // namespace

std::size_t sample_bytes(const MlpSpec& model) noexcept {
  return model.features * size_of(model.input);
}

std::size_t label_bytes(const MlpSpec& model) noexcept {
  return model.label_words() * sizeof(std::int32_t);
}

void check_resident(const MlpSpec& model, const ResidentSet& set) {
  if (set.labels.size() % model.label_words() != 0) {
    throw std::invalid_argument("resident set: expected " + std::to_string(model.label_words()) +
                                " targets of each sample, found " +
                                std::to_string(set.labels.size()) + " in all");
  }
  const std::size_t bytes = sample_count(model, set) * sample_bytes(model);
  if (set.samples.size() != bytes) {
    throw std::invalid_argument("resident set: expected " + std::to_string(bytes) +
                                " bytes of samples, found " + std::to_string(set.samples.size()));
  }
  check_labels(model, set.labels);
}

std::size_t sample_count(const MlpSpec& model, const ResidentSet& set) noexcept {
  return set.labels.size() / model.label_words();
}

void check_learning_rate(float rate) {
  if (std::isfinite(rate) && rate >= 0.0F) return;
  throw std::invalid_argument("learning rate: expected a finite number of at least 0, found " +
                              std::to_string(rate));
}

void check_steps(const Chunk& chunk, std::uint32_t most) {
  if (chunk.batch == 0 || chunk.batch > most) {
    throw std::invalid_argument("chunk: expected a batch of 1 to " + std::to_string(most) +
                                ", found " + std::to_string(chunk.batch));
  }
  for (const float rate : chunk.learning_rates) check_learning_rate(rate);
  if (!chunk.learning_rates.empty() && chunk.learning_rates.size() < chunk.batches()) {
    throw std::invalid_argument("chunk: expected " + std::to_string(chunk.batches()) +
                                " learning rates, found " +
                                std::to_string(chunk.learning_rates.size()));
  }
}

Chunk checked(const MlpSpec& model, const Chunk& chunk, std::size_t sets, std::size_t size) {
  Chunk cut = chunk;
  if (chunk.packed()) {
    const std::size_t bytes = chunk.count * sample_bytes(model);
    const std::size_t words = std::size_t{chunk.count} * model.label_words();
    if (chunk.samples.size() < bytes || chunk.labels.size() < words) {
      throw std::invalid_argument("chunk: expected " + std::to_string(chunk.count) +
                                  " packed samples with labels, found fewer");
    }
    cut.samples = chunk.samples.first(bytes);
    cut.labels = chunk.labels.first(words);
    check_labels(model, cut.labels);
    return cut;
  }
  if (chunk.source >= sets) {
    throw std::invalid_argument("chunk: expected one of " + std::to_string(sets) +
                                " resident sets, found number " + std::to_string(chunk.source));
  }
  if (chunk.indices.size() < chunk.count) {
    throw std::invalid_argument("chunk: expected " + std::to_string(chunk.count) +
                                " indices, found " + std::to_string(chunk.indices.size()));
  }
  cut.indices = chunk.indices.first(chunk.count);
  const auto largest = *std::max_element(cut.indices.begin(), cut.indices.end());
  if (largest >= size) {
    throw std::out_of_range("chunk: expected indices below " + std::to_string(size) + ", found " +
                            std::to_string(largest));
  }
  return cut;
}

void check_logits(const MlpSpec& model, const Chunk& chunk, std::span<const float> logits) {
  const std::size_t wanted = std::size_t{chunk.count} * model.classes;
  if (logits.size() == wanted) return;
  throw std::invalid_argument("predict: expected room for " + std::to_string(wanted) +
                              (model.has_targets() ? " targets, found " : " logits, found ") +
                              std::to_string(logits.size()));
}

}  // namespace millrace
