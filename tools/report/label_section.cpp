#include "tools/report/label_section.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <optional>

#include "tools/report/html.h"

namespace millrace {
namespace {

constexpr std::size_t kMostLines = 200;

std::string share(const std::optional<double>& value) {
  return value ? fmt::format("{:.4f}", *value) : "–";
}

}  // namespace

std::string render_labels(const Judged& judged) {
  const LabelScores& scores = *judged.labels;
  std::string html = fmt::format(
      "<section><h2>Which labels it gives</h2><p class=\"soft\">{} {} samples. All labels of "
      "{:.2f} "
      "% of them are right; F1 is {} of all decisions together, and {} on the average of the "
      "labels.</p>\n<div class=\"scroll\"><table class=\"frequent\"><caption>Each label by itself; "
      "a "
      "probability of one half is a yes</caption><thead><tr><th>label</th><th>accuracy</th>"
      "<th>precision</th><th>recall</th><th>F1</th><th>samples</th><th>given</th></tr></thead>"
      "<tbody>\n",
      scores.samples(), escape_html(judged.split), 100.0 * scores.exact(), share(scores.micro_f1()),
      share(scores.macro_f1()));
  const std::size_t shown = std::min(scores.labels(), kMostLines);
  for (std::size_t t = 0; t < shown; ++t) {
    html += fmt::format(
        "<tr><td>{}</td><td>{:.4f}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>"
        "</tr>\n",
        escape_html(scores.name(t)), scores.accuracy(t), share(scores.precision(t)),
        share(scores.recall(t)), share(scores.f1(t)), scores.with(t), scores.said(t));
  }
  html += "</tbody></table>";
  if (shown < scores.labels()) {
    html += fmt::format("<p class=\"soft\">{} more labels.</p>", scores.labels() - shown);
  }
  return html + "</div></section>\n";
}

}  // namespace millrace
