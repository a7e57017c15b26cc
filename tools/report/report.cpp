#include "tools/report/report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>
#include <string_view>

#include "tools/console/progress_bar.h"
#include "tools/report/chart.h"
#include "tools/report/html.h"
#include "tools/report/label_section.h"
#include "tools/report/style.h"
#include "tools/report/tables.h"
#include "tools/report/target_section.h"
#include "tools/trainer/target_table.h"
#include "train/best.h"

namespace millrace {
namespace {

// Of PNG bytes; in base64 they take a third more.
constexpr std::size_t kPictureBytes = 1'000'000;

/// Hands out pictures as long as there is room.
class Album {
 public:
  std::string image(const Picture& picture, const std::string& alternative) {
    const std::string png = encode_png(picture);
    if (bytes_ + png.size() > kPictureBytes) return {};
    bytes_ += png.size();
    return fmt::format(R"(<img src="{}" alt="{}">)", png_uri(png), escape_html(alternative));
  }

 private:
  std::size_t bytes_ = 0;
};

std::string tile(const std::string& value, const std::string& name) {
  return fmt::format("<div class=\"tile\"><b>{}</b><span>{}</span></div>\n", value, name);
}

std::string render_tiles(const Report& report) {
  const RunResult& result = report.result;
  std::string html = "<div class=\"tiles\">\n";
  if (result.test_acc && result.test_loss) {
    html += tile(fmt::format("{:.2f} %", 100.0 * *result.test_acc), "test accuracy");
    html += tile(fmt::format("{:.4f}", *result.test_loss), "test loss");
  }
  if (result.test_r2 && result.test_loss) {
    html += tile(fmt::format("{:.4f}", *result.test_r2), "test R²");
    if (result.test_rmse) html += tile(number_text(*result.test_rmse), "test RMSE");
    html += tile(fmt::format("{:.4f}", *result.test_loss), "test loss");
  }
  const auto worse = [](const EpochResult& a, const EpochResult& b) { return is_better(b, a); };
  const auto best = std::ranges::max_element(result.history, worse);
  if (best != result.history.end() && best->val_acc) {
    html += tile(fmt::format("{:.2f} %", 100.0 * *best->val_acc),
                 fmt::format("best validation, epoch {}", best->epoch));
  }
  if (best != result.history.end() && best->val_r2) {
    html += tile(fmt::format("{:.4f}", *best->val_r2),
                 fmt::format("best validation R², epoch {}", best->epoch));
  }
  html +=
      tile(std::to_string(result.history.size()), result.history.size() == 1 ? "epoch" : "epochs");
  const double epoch_s = median_epoch_s(report.info, result);
  if (epoch_s >= 0.0) html += tile(seconds_text(epoch_s), "an epoch (median)");
  if (result.samples_per_s > 0.0) html += tile(render_count(result.samples_per_s), "samples/s");
  html += tile(render_count(static_cast<double>(report.info.parameters)), "parameters");
  html += tile(seconds_text(report.process.wall_s), "in all");
  return html + "</div>\n";
}

template <typename Value>
Series series_of(const Report& report, std::string name, std::string style, Value value) {
  Series series{std::move(name), std::move(style), {}};
  for (const EpochResult& epoch : report.result.history) {
    series.values.emplace_back(std::invoke(value, epoch));
  }
  return series;
}

std::string render_charts(const Report& report) {
  if (report.result.history.empty()) return {};
  const bool validated = report.result.history.back().val_loss.has_value();
  const bool regression = report.info.task == Task::kRegression;
  Chart loss{"Loss", {series_of(report, "training", "c1", &EpochResult::train_loss)}};
  Chart score = regression
                    ? Chart{"R²", {series_of(report, "training", "c1", &EpochResult::train_r2)}}
                    : Chart{"Accuracy",
                            {series_of(report, "training", "c1", &EpochResult::train_acc)},
                            Chart::Unit::kPercent};
  if (validated) {
    loss.series.push_back(series_of(report, "validation", "c2", &EpochResult::val_loss));
    score.series.push_back(series_of(report, "validation", "c2",
                                     regression ? &EpochResult::val_r2 : &EpochResult::val_acc));
  }
  const Chart rate{"Learning rate, at the end of each epoch",
                   {series_of(report, "learning rate", "c3", &EpochResult::learning_rate)},
                   Chart::Unit::kPlain,
                   true};
  const Chart time{"Training time of an epoch, in seconds",
                   {series_of(report, "seconds", "c1", &EpochResult::train_s)},
                   Chart::Unit::kPlain,
                   true};
  return "<section><h2>Learning</h2><div class=\"charts\">\n" + render_chart(loss) +
         render_chart(score) + render_chart(rate) + render_chart(time) + "</div></section>\n";
}

std::string render_mistakes(const Judged& judged, Album& album) {
  if (judged.worst.empty()) return {};
  std::string pictures;
  for (const Mistake& m : judged.worst) {
    if (!m.picture) continue;
    const auto truth = judged.confusion.name(static_cast<std::uint32_t>(m.label));
    const auto guess = judged.confusion.name(static_cast<std::uint32_t>(m.guess));
    const std::string image = album.image(
        *m.picture, fmt::format("sample {}: a {} taken for a {}", m.sample, truth, guess));
    if (image.empty()) break;
    pictures += fmt::format(
        "<figure>{}<figcaption><b>{} → {}</b> {:.0f}&nbsp;%<br>no. {}</figcaption></figure>\n",
        image, escape_html(truth), escape_html(guess), 100.0 * m.guess_share, m.sample);
  }
  if (pictures.empty()) return {};
  return fmt::format(
      "<section><h2>Worst mistakes</h2><p class=\"soft\">The {} samples with the largest loss: "
      "truth "
      "→ guess, how sure the model was of it, and the sample’s number.</p><div "
      "class=\"pictures\">\n{}</div></section>\n",
      escape_html(judged.split), pictures);
}

std::string render_weights(const Report& report, Album& album) {
  std::string pictures;
  std::size_t shown = 0;
  for (const Picture& picture : report.weights) {
    const std::string image = album.image(picture, fmt::format("unit {}", shown));
    if (image.empty()) break;
    pictures += image;
    ++shown;
  }
  if (shown == 0) return {};
  return fmt::format(
      "<section><h2>What the first layer looks for</h2><p class=\"soft\">Weights of {} of {} "
      "units, "
      "all to one scale: red raises a unit’s sum, blue "
      "lowers it.</p><div class=\"pictures units\">\n{}</div></section>\n",
      shown, report.units, pictures);
}

std::string entry(std::string_view name, std::string_view value) {
  return fmt::format("<dt>{}</dt><dd>{}</dd>\n", escape_html(name), escape_html(value));
}

std::string render_options(const Report& report) {
  std::string html = "<section><h2>Options, in effect</h2>\n<dl class=\"short\">\n";
  for (const auto& [name, value] : report.options) html += entry(name, value);
  return html + "</dl>\n<pre>" + escape_html(report.command) + "</pre></section>\n";
}

std::string render_origin(const Report& report) {
  const RunInfo& info = report.info;
  std::string html = "<section><h2>Hashes and versions</h2>\n<dl>\n";
  html += entry("weights", report.result.weights_hash);
  html += entry("training data", info.dataset_hash);
  html += entry("data", report.data);
  if (info.on_bad != OnBad::kFail) {
    html += entry("bad samples",
                  fmt::format("{} for training and validation, {} for the test",
                              report.result.bad_samples, report.result.bad_test_samples));
  }
  html += entry("device",
                fmt::format("{}, {}, {} {}", info.engine.device, info.engine.description,
                            info.engine.threads, info.engine.threads == 1 ? "thread" : "threads"));
  if (!report.result.checkpoint.empty()) {
    html += entry("checkpoint", report.result.checkpoint.string());
  }
  if (!info.resumed_from.empty()) html += entry("resumed from", info.resumed_from.string());
  return html + "</dl>\n<pre>" + escape_html(report.versions) + "</pre></section>\n";
}

// All but one in two hundred are smaller: a few large ones would leave the others pale.
float large_weight(std::span<const float> weights) {
  std::vector<float> sizes(weights.size());
  std::ranges::transform(weights, sizes.begin(), [](float w) { return std::abs(w); });
  if (sizes.empty()) return 0.0F;
  const auto at = static_cast<std::ptrdiff_t>(sizes.size() - 1 - sizes.size() / 200);
  std::ranges::nth_element(sizes, sizes.begin() + at);
  return sizes[static_cast<std::size_t>(at)];
}

}  // namespace

std::vector<Picture> first_layer(const Tensor& weights, const SampleShape& shape,
                                 std::size_t most) {
  auto dims = shape.dims;
  if (dims.size() == 3 && dims[0] == 1) dims.erase(dims.begin());
  constexpr std::uint64_t kWidest = 1024;
  if (dims.size() != 2 || dims[0] > kWidest || dims[1] > kWidest) return {};
  const std::size_t inputs = dims[0] * dims[1];
  if (weights.shape.size() != 2 || weights.shape[1] != inputs) return {};
  const std::size_t units = std::min<std::size_t>(most, weights.shape[0]);
  const std::span<const float> shown(weights.values.data(), units * inputs);
  const float largest = large_weight(shown);
  std::vector<Picture> pictures;
  for (std::size_t unit = 0; unit < units; ++unit) {
    pictures.push_back(picture_of_weights(shown.subspan(unit * inputs, inputs),
                                          static_cast<std::uint32_t>(dims[1]),
                                          static_cast<std::uint32_t>(dims[0]), largest));
  }
  return pictures;
}

std::string render_report(const Report& report) {
  Album album;
  const std::string title = fmt::format("Training run {}", fmt::join(report.info.widths, "-"));
  std::string html = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n"
      "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n<h1>{}</h1>\n"
      "<p class=\"soft\">{}</p>\n",
      title, kReportStyle, title, escape_html(report.data));
  html += render_tiles(report);
  html += render_charts(report);
  html += report.search;
  if (report.judged) {
    const Judged& judged = *report.judged;
    html += judged.errors   ? render_targets(judged)
            : judged.labels ? render_labels(judged)
                            : render_quality(judged);
    html += render_mistakes(*report.judged, album);
  }
  html += render_weights(report, album);
  html += render_stages(report);
  html += render_options(report);
  html += render_origin(report);
  return html + "</main>\n</body>\n</html>\n";
}

}  // namespace millrace
