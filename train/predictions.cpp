#include "train/predictions.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <optional>

#include "compute/memory.h"
#include "formats/run_blocks.h"
#include "loader/loader.h"
#include "loader/sample_reader.h"
#include "loader/standardized.h"
#include "train/plan.h"

namespace millrace {

namespace {

// What one thread reads while another one wakes up.
constexpr std::uint64_t kFewBytes = std::uint64_t{256} << 10U;

// Hears of a chunk's samples, which are the next of their part but for those that are left out.
using Look = std::function<void(const Chunk&, std::span<const BadPlace>)>;

bool in_memory(const Dataset& data) {
  const Dataset& stored = unstandardized(data);
  const auto* disk = dynamic_cast<const DiskDataset*>(&stored);
  return (disk == nullptr || !disk->on_disk()) && !stored.contiguous().samples.empty();
}

// Of samples that lie in memory one after the other as `engine` takes them. Engines of devices are
// handed those that a loader brought into their own memory sooner.
std::optional<ContiguousView> taken_from_there(Engine& engine, const MlpSpec& model,
                                               const Part& part) {
  const DType taken = model.input == InputType::kUInt8 ? DType::kUInt8 : DType::kFloat32;
  const ContiguousView all = part.data->contiguous();
  const auto begin = part.subset.begin_of_run();
  if (all.samples.empty() || !begin || part.data->dtype() != taken ||
      &engine.host_memory() != &pageable_memory()) {
    return std::nullopt;
  }
  const std::uint64_t bytes = part.data->sample_bytes();
  const std::size_t words = part.data->label_words();
  return ContiguousView{all.samples.subspan(*begin * bytes, part.subset.size() * bytes),
                        all.labels.subspan(*begin * words, part.subset.size() * words)};
}

// `batch` of the `size` samples of `view`, or what is left, from `first` on.
Chunk chunk_of(const ContiguousView& view, std::uint64_t size, std::uint64_t first,
               std::uint32_t batch) {
  const std::size_t bytes = view.samples.size() / size;
  const std::size_t words = view.labels.size() / size;
  Chunk chunk;
  chunk.batch = batch;
  chunk.count = static_cast<std::uint32_t>(std::min<std::uint64_t>(batch, size - first));
  chunk.samples = view.samples.subspan(first * bytes, chunk.count * bytes);
  chunk.labels = view.labels.subspan(first * words, chunk.count * words);
  return chunk;
}

void look_there(const ContiguousView& view, std::uint64_t size, std::uint32_t batch,
                const Look& look) {
  for (std::uint64_t first = 0; first < size; first += batch) {
    look(chunk_of(view, size, first, batch), {});
  }
}

// By this thread, into memory of its own.
void look_at_few(const MlpSpec& model, const Part& part, std::uint32_t batch, const Look& look) {
  SampleReader reader(part.data, model.input);
  std::vector<std::uint64_t> ids(part.subset.size());
  std::vector<std::byte> samples(ids.size() * reader.sample_bytes());
  std::vector<std::int32_t> labels(ids.size() * reader.label_words());
  std::iota(ids.begin(), ids.end(), std::uint64_t{0});
  part.subset.map(ids, ids);
  reader.read(ids, samples, labels);
  look_there({samples, labels}, ids.size(), batch, look);
}

void look_at_loaded(Engine& engine, const Part& part, std::uint32_t workers, std::uint32_t batch,
                    const Look& look) {
  LoaderSpec spec;
  spec.data = part.data;
  spec.subset = part.subset;
  spec.kind = ChunkKind::kPacked;
  spec.batch = batch;
  spec.chunk_batches = 1;
  spec.workers = workers;
  spec.shuffle = false;
  spec.on_bad = part.on_bad;
  Loader loader(spec, {}, engine.host_memory());
  while (const auto lease = loader.next()) look(lease->chunk(), lease->bad());
}

void look_at(Engine& engine, const MlpSpec& model, const Part& part, std::uint32_t workers,
             const Look& look) {
  const std::uint32_t batch = evaluation_batch(model);
  const std::uint64_t count = part.subset.size();
  // What is wrong with other parts is the loader's to say.
  if (count != 0 && part.subset.bound() <= part.data->size() && in_memory(*part.data)) {
    if (const auto view = taken_from_there(engine, model, part)) {
      return look_there(*view, count, batch, look);
    }
    if (count * model.features * size_of(model.input) <= kFewBytes) {
      return look_at_few(model, part, batch, look);
    }
  }
  look_at_loaded(engine, part, workers, batch, look);
}

}  // namespace

Metrics predict_all(Engine& engine, const MlpSpec& model, const Part& part, std::uint32_t workers,
                    const std::function<void(const Prediction&)>& take,
                    const std::function<void(std::span<const BadPlace>)>& report) {
  std::vector<float> logits;
  std::vector<float> targets;
  std::vector<std::uint64_t> ids;
  std::uint64_t done = 0;
  look_at(engine, model, part, workers, [&](const Chunk& chunk, std::span<const BadPlace> bad) {
    logits.resize(std::size_t{chunk.count} * model.classes);
    if (chunk.count != 0) engine.predict(chunk, logits);
    ids.resize(chunk.count + bad.size());
    std::iota(ids.begin(), ids.end(), done);
    done += ids.size();
    // From the last one, so that places stay what they are.
    if (report && !bad.empty()) report(bad);
    for (std::size_t i = bad.size(); i-- > 0;) ids.erase(ids.begin() + bad[i].place);
    part.subset.map(ids, ids);
    if (model.has_targets()) {
      targets.resize(chunk.labels.size());
      std::ranges::transform(chunk.labels, targets.begin(), target_of);
    }
    for (std::uint32_t i = 0; i < chunk.count; ++i) {
      Prediction prediction;
      prediction.sample = ids[i];
      prediction.logits = std::span(logits).subspan(std::size_t{i} * model.classes, model.classes);
      if (model.has_targets()) {
        prediction.targets =
            std::span(targets).subspan(std::size_t{i} * model.classes, model.classes);
      } else {
        prediction.label = chunk.labels[i];
        prediction.guess = static_cast<std::int32_t>(std::ranges::max_element(prediction.logits) -
                                                     prediction.logits.begin());
      }
      take(prediction);
    }
  });
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

double sigmoid(float logit) { return 1.0 / (1.0 + std::exp(-double{logit})); }

double cross_entropy(std::span<const float> logits, std::int32_t label) {
  const double largest = double{*std::ranges::max_element(logits)};
  double sum = 0.0;
  for (const float logit : logits) sum += std::exp(double{logit} - largest);
  return std::log(sum) + largest - double{logits[static_cast<std::size_t>(label)]};
}

}  // namespace millrace
