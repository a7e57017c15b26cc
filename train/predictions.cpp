#include "train/predictions.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "loader/loader.h"
#include "train/plan.h"

namespace millrace {

Metrics predict_all(Engine& engine, const MlpSpec& model, const Part& part, std::uint32_t workers,
                    const std::function<void(const Prediction&)>& take,
                    const std::function<void(std::span<const BadPlace>)>& report) {
  LoaderSpec spec;
  spec.data = part.data;
  spec.subset = part.subset;
  spec.kind = ChunkKind::kPacked;
  spec.batch = evaluation_batch(model);
  spec.chunk_batches = 1;
  spec.workers = workers;
  spec.shuffle = false;
  spec.on_bad = part.on_bad;
  Loader loader(spec, {}, engine.host_memory());
  std::vector<float> logits;
  std::vector<std::uint64_t> ids;
  std::uint64_t done = 0;
  while (const auto lease = loader.next()) {
    const Chunk& chunk = lease->chunk();
    logits.resize(std::size_t{chunk.count} * model.classes);
    if (chunk.count != 0) engine.predict(chunk, logits);
    ids.resize(chunk.count + lease->bad().size());
    std::iota(ids.begin(), ids.end(), done);
    done += ids.size();
    // From the last one, so that places stay what they are.
    const auto bad = lease->bad();
    if (report && !bad.empty()) report(bad);
    for (std::size_t i = bad.size(); i-- > 0;) ids.erase(ids.begin() + bad[i].place);
    part.subset.map(ids, ids);
    for (std::uint32_t i = 0; i < chunk.count; ++i) {
      Prediction prediction;
      prediction.sample = ids[i];
      prediction.logits = std::span(logits).subspan(std::size_t{i} * model.classes, model.classes);
      prediction.label = chunk.labels[i];
      prediction.guess = static_cast<std::int32_t>(std::ranges::max_element(prediction.logits) -
                                                   prediction.logits.begin());
      take(prediction);
    }
  }
  return engine.metrics();
}

std::vector<double> softmax(std::span<const float> logits) {
  std::vector<double> shares(logits.size());
  if (logits.empty()) return shares;
  const double largest = double{*std::ranges::max_element(logits)};
  double sum = 0.0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    shares[i] = std::exp(double{logits[i]} - largest);
    sum += shares[i];
  }
  for (double& share : shares) share /= sum;
  return shares;
}

double cross_entropy(std::span<const float> logits, std::int32_t label) {
  const double largest = double{*std::ranges::max_element(logits)};
  double sum = 0.0;
  for (const float logit : logits) sum += std::exp(double{logit} - largest);
  return std::log(sum) + largest - double{logits[static_cast<std::size_t>(label)]};
}

}  // namespace millrace
