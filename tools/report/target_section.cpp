#include "tools/report/target_section.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "tools/report/html.h"
#include "tools/report/scatter.h"
#include "tools/trainer/target_table.h"

namespace millrace {
namespace {

constexpr std::size_t kMostLines = 100;

std::string render_table(const TargetErrors& errors) {
  const std::size_t shown = std::min(errors.targets(), kMostLines);
  std::string html =
      "<div class=\"scroll\"><table class=\"frequent\"><caption>Errors, in each target’s own unit, "
      "and how the true ones vary</caption><thead><tr><th>target</th><th>RMSE</th><th>MAE</th>"
      "<th>largest</th><th>R²</th><th>mean</th><th>deviation</th></tr></thead><tbody>\n";
  for (std::size_t t = 0; t < shown; ++t) {
    html += fmt::format(
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{:.4f}</td><td>{}</td><td>{}</td></"
        "tr>\n",
        escape_html(errors.name(t)), number_text(errors.rmse(t)), number_text(errors.mae(t)),
        number_text(errors.largest(t)), errors.r2(t), number_text(errors.mean(t)),
        number_text(errors.deviation(t)));
  }
  html += "</tbody></table>";
  if (shown < errors.targets()) {
    html += fmt::format("<p class=\"soft\">{} more targets.</p>", errors.targets() - shown);
  }
  return html + "</div>\n";
}

std::string render_farthest(const Judged& judged) {
  if (judged.farthest.empty()) return {};
  std::string html =
      "<div class=\"scroll\"><table class=\"frequent\"><caption>Farthest off, by the target’s "
      "deviation</caption><thead><tr><th>sample</th><th>target</th><th>true</th><th>predicted</th>"
      "</tr></thead><tbody>\n";
  for (const FarOff& far : judged.farthest) {
    html +=
        fmt::format("<tr><td>{}</td><td>{}</td><td>{:.6g}</td><td>{:.6g}</td></tr>\n", far.sample,
                    escape_html(judged.errors->name(far.target)), far.truth, far.predicted);
  }
  return html + "</tbody></table></div>\n";
}

}  // namespace

std::string render_targets(const Judged& judged) {
  const TargetErrors& errors = *judged.errors;
  std::vector<std::string> scatters;
  for (std::size_t t = 0; t < judged.points.size(); ++t) {
    std::string title = errors.named() ? errors.name(t) : fmt::format("Target {}", errors.name(t));
    if (judged.points[t].size() < errors.samples()) {
      title += fmt::format(", {} of the samples", judged.points[t].size());
    }
    scatters.push_back(render_scatter({std::move(title), judged.points[t]}));
  }
  // One has room below its line; several have a row to themselves.
  const bool alone = scatters.size() == 1;
  std::string html = fmt::format(
      "<section><h2>How far off it is</h2><p class=\"soft\">{} {} samples.</p>"
      "<div class=\"two\">\n<div>{}{}</div>{}</div>\n",
      errors.samples(), escape_html(judged.split), render_table(errors),
      alone ? scatters.front() : std::string(), render_farthest(judged));
  if (!alone) html += fmt::format("<div class=\"charts\">\n{}</div>", fmt::join(scatters, ""));
  return html + "</section>\n";
}

}  // namespace millrace
