#include "tools/report/judged.h"

#include <algorithm>
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
    std::int32_t label = 0;
    data.read(std::span(&mistake.sample, 1), sample, std::span(&label, 1));
    mistake.picture = picture_of(data.shape(), data.dtype(), sample);
  }
}

}  // namespace

Judged judge(Engine& engine, const MlpSpec& model, const Part& part, const std::string& split,
             std::uint32_t workers, std::size_t most) {
  Judged judged;
  judged.split = split;
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
