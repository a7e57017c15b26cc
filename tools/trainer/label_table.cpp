#include "tools/trainer/label_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>

#include "tools/console/quote.h"
#include "tools/trainer/optional_number.h"

namespace millrace {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kName = 24;  // columns
constexpr std::size_t kMostShown = 40;

// On one line and cut to what leaves room beside it.
std::string name_of(const LabelScores& scores, std::size_t label) {
  return fmt::format("{:.{}}", one_line(scores.name(label)), kName);
}

}  // namespace

std::string render_labels(const LabelScores& scores) {
  const std::size_t shown = std::min(scores.labels(), kMostShown);
  std::size_t wide = 5;
  for (std::size_t t = 0; t < shown; ++t) {
    wide = std::max(wide, fmt::formatted_size("{}", name_of(scores, t)));
  }
  wide = std::min(wide, kName);
  std::string text = fmt::format("accuracy: {:.4f} of labels, {:.4f} of samples all right\n",
                                 scores.accuracy(), scores.exact());
  text += fmt::format("F1: {} of all decisions, {} mean of the labels\n\n",
                      share_text(scores.micro_f1()), share_text(scores.macro_f1()));
  text += fmt::format("{:<{}}   accuracy   precision   recall       F1   samples\n", "Label", wide);
  for (std::size_t t = 0; t < shown; ++t) {
    text += fmt::format("{:>{}}   {:>8.4f}   {:>9}   {:>6}   {:>6}   {:>7}\n", name_of(scores, t),
                        wide, scores.accuracy(t), share_text(scores.precision(t)),
                        share_text(scores.recall(t)), share_text(scores.f1(t)), scores.with(t));
  }
  if (const auto left_out = scores.labels() - shown; left_out > 0) {
    text += fmt::format("{} more, which --json lists\n", left_out);
  }
  return text;
}

Json scores_json(const LabelScores& scores) {
  return {{"accuracy", scores.accuracy()},
          {"exact", scores.exact()},
          {"f1_micro", json_of(scores.micro_f1())},
          {"f1_macro", json_of(scores.macro_f1())}};
}

Json labels_json(const LabelScores& scores) {
  Json all = Json::array();
  for (std::size_t t = 0; t < scores.labels(); ++t) {
    Json object{{"label", t}};
    if (scores.named()) object["name"] = scores.name(t);
    object["accuracy"] = scores.accuracy(t);
    object["precision"] = json_of(scores.precision(t));
    object["recall"] = json_of(scores.recall(t));
    object["f1"] = json_of(scores.f1(t));
    object["samples"] = scores.with(t);
    object["guesses"] = scores.said(t);
    all.push_back(std::move(object));
  }
  return all;
}

}  // namespace millrace
