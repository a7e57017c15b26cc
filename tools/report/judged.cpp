#include "tools/report/judged.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "loader/standardized.h"

namespace millrace {
namespace {

// Equal losses by number, so that the same model keeps the same mistakes.
bool is_worse(const Mistake& a, const Mistake& b) {
  return a.loss != b.loss ? a.loss > b.loss : a.sample < b.sample;
}

void keep_worst(std::vector<Mistake>& mistakes, std::size_t most) {
  std::ranges::sort(mistakes, is_worse);
  if (mistakes.size() > most) mistakes.resize(most);
}

void add_pictures(std::vector<Mistake>& mistakes, const Dataset& data) {
  std::vector<std::byte> sample(data.sample_bytes());
  for (Mistake& mistake : mistakes) {
    std::int32_t label = 0;  // of mistakes, which are of classes
    data.read(std::span(&mistake.sample, 1), sample, std::span(&label, 1));
    mistake.picture = picture_of(data.shape(), data.dtype(), sample);
  }
}

/// Looks at a regression's predictions.
class TargetJudge {
 public:
  TargetJudge(Judged& judged, const MlpSpec& model, std::uint64_t samples)
      : judged_(judged),
        model_(model),
        stride_(1 + (samples - 1) / kMostPoints),
        points_(std::min<std::size_t>(model.classes, kMostScatters)) {}

  void look(const Prediction& p) {
    judged_.errors->add(p.targets, p.logits);
    for (std::size_t t = 0; t < p.targets.size(); ++t) {
      const double unit = model_.target_scales.empty() ? 1.0 : model_.target_scales[t].deviation;
      const double error = std::abs(double{p.logits[t]} - double{p.targets[t]}) / unit;
      if (farthest_.size() == kMostFarOff && !(error > farthest_.back().error)) continue;
      const FarOff far{p.sample, t, p.targets[t], p.logits[t], error};
      const auto place = std::ranges::find_if(
          farthest_, [&](const FarOff& other) { return other.error < far.error; });
      farthest_.insert(place, far);
      if (farthest_.size() > kMostFarOff) farthest_.pop_back();
    }
    if (seen_++ % stride_ != 0) return;
    for (std::size_t t = 0; t < points_.size(); ++t) {
      points_[t].push_back({p.targets[t], p.logits[t]});
    }
  }

  void finish() {
    judged_.farthest = std::move(farthest_);
    judged_.points = std::move(points_);
  }

 private:
  static constexpr std::uint64_t kMostPoints = 1000;
  static constexpr std::size_t kMostScatters = 6;
  static constexpr std::size_t kMostFarOff = 12;

  Judged& judged_;
  const MlpSpec& model_;
  std::uint64_t stride_;
  std::uint64_t seen_ = 0;
  std::vector<FarOff> farthest_;  // the largest error first, of equals the first sample
  std::vector<std::vector<Scatter::Point>> points_;
};

}  // namespace

Judged judge(Engine& engine, const MlpSpec& model, const Part& part, const std::string& split,
             std::uint32_t workers, std::size_t most) {
  Judged judged;
  judged.split = split;
  if (model.regression()) {
    judged.errors.emplace(model.classes, part.data->column_names().targets);
    TargetJudge targets(judged, model, std::max<std::uint64_t>(1, part.subset.size()));
    judged.metrics =
        predict_all(engine, model, part, workers, [&](const Prediction& p) { targets.look(p); });
    targets.finish();
    return judged;
  }
  if (model.multilabel()) {
    judged.labels.emplace(model.classes, part.data->column_names().targets);
    judged.metrics = predict_all(engine, model, part, workers, [&](const Prediction& p) {
      judged.labels->add(p.targets, p.logits);
    });
    return judged;
  }
  const auto& names = part.data->class_names();
  // Test files that call classes by numbers, or fewer than the model knows.
  judged.confusion =
      names.size() == model.classes ? Confusion(model.classes, names) : Confusion(model.classes);
  judged.metrics = predict_all(engine, model, part, workers, [&](const Prediction& p) {
    judged.confusion.add(p.label, p.guess);
    if (p.label == p.guess) return;
    const auto shares = softmax(p.logits);
    Mistake mistake;
    mistake.sample = p.sample;
    mistake.label = p.label;
    mistake.guess = p.guess;
    mistake.guess_share = shares[static_cast<std::size_t>(p.guess)];
    mistake.label_share = shares[static_cast<std::size_t>(p.label)];
    mistake.loss = cross_entropy(p.logits, p.label);
    judged.worst.push_back(std::move(mistake));
    // A bad model of a large set makes more of them than anybody wants in memory.
    if (judged.worst.size() >= 64 * (most + 1)) keep_worst(judged.worst, most);
  });
  keep_worst(judged.worst, most);
  add_pictures(judged.worst, unstandardized(*part.data));
  return judged;
}

}  // namespace millrace
