#include "tools/trainer/target_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <nlohmann/json.hpp>

#include "tools/console/quote.h"

namespace millrace {
namespace {

constexpr std::size_t kName = 18;  // columns
constexpr std::size_t kMostShown = 40;

// On one line and cut to what leaves room beside it.
std::string name_of(const TargetErrors& errors, std::size_t target) {
  return fmt::format("{:.{}}", one_line(errors.name(target)), kName);
}

}  // namespace

std::string number_text(double value) {
  const double size = std::abs(value);
  return size >= 1e5 && size < 1e9 ? fmt::format("{:.0f}", value) : fmt::format("{:.5g}", value);
}

std::string render_targets(const TargetErrors& errors) {
  const std::size_t shown = std::min(errors.targets(), kMostShown);
  std::size_t wide = 6;
  for (std::size_t t = 0; t < shown; ++t) {
    wide = std::max(wide, fmt::formatted_size("{}", name_of(errors, t)));
  }
  wide = std::min(wide, kName);
  std::string text = fmt::format("{:<{}}  {:>10}  {:>10}  {:>10}  {:>8}  {:>10}\n", "Target", wide,
                                 "RMSE", "MAE", "largest", "R²", "deviation");
  for (std::size_t t = 0; t < shown; ++t) {
    text +=
        fmt::format("{:>{}}  {:>10}  {:>10}  {:>10}  {:>8.4f}  {:>10}\n", name_of(errors, t), wide,
                    number_text(errors.rmse(t)), number_text(errors.mae(t)),
                    number_text(errors.largest(t)), errors.r2(t), number_text(errors.deviation(t)));
  }
  if (const auto left_out = errors.targets() - shown; left_out > 0) {
    text += fmt::format("{} more, which --json lists\n", left_out);
  }
  return text;
}

nlohmann::ordered_json targets_json(const TargetErrors& errors) {
  auto all = nlohmann::ordered_json::array();
  for (std::size_t t = 0; t < errors.targets(); ++t) {
    nlohmann::ordered_json object{{"target", t}};
    if (errors.named()) object["name"] = errors.name(t);
    object["rmse"] = errors.rmse(t);
    object["mae"] = errors.mae(t);
    object["largest"] = errors.largest(t);
    object["r2"] = errors.r2(t);
    object["mean"] = errors.mean(t);
    object["deviation"] = errors.deviation(t);
    all.push_back(std::move(object));
  }
  return all;
}

}  // namespace millrace
