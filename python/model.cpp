#include "python/model.h"

#include <cmath>
#include <optional>
#include <utility>

#include "python/forks.h"
#include "train/finite_samples.h"

namespace millrace {
namespace {

constexpr std::uint32_t kAllCores = 0;

}  // namespace

Model::Model(TrainedModel trained, const Device& device)
    : trained_(std::move(trained)), device_(device) {}

Model::~Model() { drop(engine_, process_); }

Metrics Model::look_at(const Part& part, const std::function<void(const Prediction&)>& take) {
  const Part seen{seen_by(trained_, part.data), part.subset, part.on_bad};
  const std::lock_guard lock(mutex_);
  if (getpid() != process_) {  // a fork makes its own
    drop(engine_, process_);
    process_ = getpid();
  }
  if (!engine_) engine_ = make_engine(trained_, device_);
  const Metrics metrics = [&] {
    try {
      return predict_all(*engine_, trained_.spec, seen, kAllCores, take);
    } catch (...) {
      engine_.reset();  // with sums over samples that nobody asks for
      throw;
    }
  }();
  // What such a sample is taken for means nothing.
  if (!std::isfinite(metrics.loss_sum)) check_finite_samples(*part.data);
  return metrics;
}

std::vector<float> Model::outputs(const Part& part) {
  std::vector<float> outputs;
  outputs.reserve(part.subset.size() * trained_.spec.classes);
  look_at(part, [&](const Prediction& prediction) {
    outputs.insert(outputs.end(), prediction.logits.begin(), prediction.logits.end());
  });
  return outputs;
}

std::vector<std::int32_t> Model::labels(const Part& part) {
  std::vector<std::int32_t> labels;
  labels.reserve(part.subset.size());
  look_at(part, [&](const Prediction& prediction) { labels.push_back(prediction.guess); });
  return labels;
}

Model::Evaluation Model::evaluate(const Part& part) {
  const RunState& state = trained_.checkpoint.state;
  if (trained_.spec.regression()) {
    TargetErrors errors(trained_.spec.classes, state.columns.targets);
    const Metrics metrics = look_at(part, [&](const Prediction& prediction) {
      errors.add(prediction.targets, prediction.logits);
    });
    return {metrics, Confusion(0), std::move(errors)};
  }
  if (trained_.spec.multilabel()) {
    LabelScores scores(trained_.spec.classes, state.columns.targets);
    const Metrics metrics = look_at(part, [&](const Prediction& prediction) {
      scores.add(prediction.targets, prediction.logits);
    });
    return {metrics, Confusion(0), std::nullopt, std::move(scores)};
  }
  Confusion confusion(trained_.spec.classes, state.class_names);
  const Metrics metrics = look_at(part, [&](const Prediction& prediction) {
    confusion.add(prediction.label, prediction.guess);
  });
  return {metrics, std::move(confusion), std::nullopt, std::nullopt};
}

}  // namespace millrace
