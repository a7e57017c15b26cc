#include "tools/report/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <vector>

#include "tools/report/html.h"

namespace millrace {
namespace {

// More columns than these cannot be read.
constexpr std::uint32_t kMostColumns = 40;
constexpr std::size_t kMistakes = 20;

std::string percent(const std::optional<double>& share) {
  return share ? fmt::format("{:.2f}", 100.0 * *share) : "–";
}

std::string escaped_name(const Confusion& confusion, std::uint32_t label) {
  return escape_html(confusion.name(label));
}

std::string cell(const Confusion& confusion, std::uint32_t truth, std::uint32_t guess) {
  const std::uint64_t count = confusion.count(truth, guess);
  const auto samples = static_cast<double>(std::max<std::uint64_t>(1, confusion.samples(truth)));
  const double share = static_cast<double>(count) / samples;
  // Mistakes are a few per cent each: their roots are told apart better.
  const double shade = truth == guess ? 0.1 + 0.35 * share : std::min(1.0, 2.2 * std::sqrt(share));
  const std::string_view kind = truth == guess ? " class=\"right\""
                                : count == 0   ? " class=\"zero\""
                                               : "";
  return fmt::format(R"(<td{} style="--v:{:.2f}" title="{} taken for {}: {}">{}</td>)", kind,
                     count == 0 ? 0.0 : shade, escaped_name(confusion, truth),
                     escaped_name(confusion, guess), count, count);
}

std::string render_confusion(const Confusion& confusion) {
  const auto heading = [&](std::string_view scope, std::uint32_t label) {
    const auto name = escaped_name(confusion, label);
    return confusion.named()
               ? fmt::format(R"(<th scope="{0}" title="{1}"><span>{1}</span></th>)", scope, name)
               : fmt::format(R"(<th scope="{}">{}</th>)", scope, name);
  };
  std::string html = fmt::format(
      "<table class=\"confusion{}\"><caption>Truth downwards, guess to the right; shades by the "
      "share of the row</caption><thead><tr><th></th>",
      confusion.named() ? " named" : "");
  for (std::uint32_t guess = 0; guess < confusion.classes(); ++guess) {
    html += heading("col", guess);
  }
  html += "</tr></thead><tbody>\n";
  for (std::uint32_t truth = 0; truth < confusion.classes(); ++truth) {
    html += "<tr>" + heading("row", truth);
    for (std::uint32_t guess = 0; guess < confusion.classes(); ++guess) {
      html += cell(confusion, truth, guess);
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table>\n";
}

std::string render_frequent(const Confusion& confusion) {
  std::string html =
      "<table class=\"frequent\"><caption>Most frequent "
      "mistakes</caption><thead><tr><th>truth</th><th>guess</th>"
      "<th>samples</th></tr></thead><tbody>\n";
  for (const auto& m : confusion.worst(kMistakes)) {
    html +=
        fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                    escaped_name(confusion, m.truth), escaped_name(confusion, m.guess), m.count);
  }
  return html + "</tbody></table>\n";
}

std::string render_classes(const Confusion& confusion) {
  // Where recalls are all high, their differences start at the lowest.
  double least = 1.0;
  for (std::uint32_t c = 0; c < confusion.classes(); ++c) {
    least = std::min(least, confusion.recall(c).value_or(1.0));
  }
  const double base = std::max(0.0, std::floor(least * 10.0 - 1e-9) / 10.0);
  const auto shown = confusion.worst_classes(Confusion::kMostShown);
  const auto left_out = confusion.classes() - shown.size();
  const std::string of_all =
      left_out == 0
          ? std::string()
          : fmt::format("; the {} of the lowest F1, without {} more", shown.size(), left_out);
  std::string html = fmt::format(
      "<table class=\"classes\"><caption>Per class, in per cent; bars: recall, from {:.0f} to 100{}"
      "</caption><thead><tr><th>class</th><th>precision</th><th>recall</th><th>samples</th><th></"
      "th>"
      "</tr></thead><tbody>\n",
      100.0 * base, of_all);
  for (const std::uint32_t c : shown) {
    const double share =
        std::clamp((confusion.recall(c).value_or(base) - base) / (1.0 - base), 0.0, 1.0);
    html += fmt::format(
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td><span class=\"bar\"><i"
        " style=\"width:{:.0f}%\"></i></span></td></tr>\n",
        escaped_name(confusion, c), percent(confusion.precision(c)), percent(confusion.recall(c)),
        confusion.samples(c), 100.0 * share);
  }
  return html + "</tbody></table>\n";
}

struct Piece {
  std::string_view name;
  std::string_view style;  // empty: the bar's own colour
  double seconds;
};

std::string render_stage(std::string_view name, const std::vector<Piece>& pieces) {
  double total = 0.0;
  for (const Piece& piece : pieces) total += std::max(0.0, piece.seconds);
  if (!(total > 0.0)) return {};
  std::string bar;
  std::string legend;
  for (const Piece& piece : pieces) {
    const double share = 100.0 * std::max(0.0, piece.seconds) / total;
    bar += fmt::format(R"(<i class="{}" style="width:{:.2f}%"></i>)", piece.style, share);
    legend += fmt::format("<span class=\"dot {0}-dot\">{1} {2}, {3:.0f} %</span> ", piece.style,
                          piece.name, seconds_text(std::max(0.0, piece.seconds)), share);
  }
  return fmt::format("<div>{}<div class=\"stage\">{}</div>{}</div>\n", name, bar, legend);
}

}  // namespace

std::string render_quality(const Judged& judged) {
  const Confusion& confusion = judged.confusion;
  std::string html = fmt::format(
      "<section><h2>What it takes for what</h2><p class=\"soft\">{} of the {} {} samples are "
      "taken for something else.</p><div class=\"two\">\n",
      judged.metrics.samples - judged.metrics.correct, judged.metrics.samples,
      escape_html(judged.split));
  if (confusion.tabled()) {
    html += "<div class=\"scroll\">" +
            (confusion.classes() <= kMostColumns ? render_confusion(confusion)
                                                 : render_frequent(confusion)) +
            "</div>\n";
  }
  return html + "<div class=\"scroll\">" + render_classes(confusion) + "</div></div></section>\n";
}

std::string seconds_text(double seconds) {
  if (seconds > 0.0 && seconds < 0.001) return fmt::format("{:.0f} µs", 1e6 * seconds);
  return seconds < 999.5 ? fmt::format("{:.3g} s", seconds) : fmt::format("{:.0f} s", seconds);
}

std::string render_stages(const Report& report) {
  const RunResult& result = report.result;
  double train = 0.0;
  double validate = 0.0;
  for (const EpochResult& epoch : result.history) {
    if (epoch.epoch < report.info.first_epoch) continue;
    train += epoch.train_s;
    validate += epoch.val_s;
  }
  const double rest =
      report.process.wall_s - report.process.load_s - result.checkpoint_s - train - validate;
  const StageTimes& fill = result.train_loader.fill;
  const EngineStats& engine = result.engine;
  std::string html =
      fmt::format("<section><h2>Where the time went</h2><p>{}</p>\n<div class=\"stages\">\n",
                  escape_html(result.verdict));
  html += render_stage("The whole run", {{"training", "busy", train},
                                         {"validating", "other", validate},
                                         {"loading, and waiting for checkpoints", "wait",
                                          report.process.load_s + result.checkpoint_s},
                                         {"the rest", "", rest}});
  html += render_stage("Engine", {{"computing", "busy", engine.busy - engine.waiting},
                                  {"threads waiting for each other", "wait", engine.waiting},
                                  {"between calls", "", engine.idle}});
  html += render_stage("Loading threads", {{"filling chunks", "busy", fill.busy},
                                           {"waiting for room", "other", fill.blocked},
                                           {"waiting for a processor", "wait", fill.starved}});
  const StageTimes& consumer = result.train_loader.consumer;
  html += render_stage("Training loop", {{"with a chunk", "busy", consumer.busy},
                                         {"waiting for one", "wait", consumer.starved}});
  return html +
         fmt::format("</div><p class=\"soft\">At most {:.0f} MB of memory at once.</p></section>\n",
                     report.process.peak_rss_mb);
}

}  // namespace millrace
