#include "tools/search/search_section.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "tools/console/figure.h"
#include "tools/report/chart.h"
#include "tools/report/html.h"

namespace millrace {
namespace {

// In the units of the viewBox, as in tools/report/chart.cpp.
constexpr double kWidth = 440.0;
constexpr double kHeight = 240.0;
constexpr double kLeft = 62.0;
constexpr double kRight = 16.0;
constexpr double kTop = 12.0;
constexpr double kBottom = 30.0;
constexpr std::size_t kRows = 20;       // of the table
constexpr std::size_t kLabels = 8;      // of a chart's values that are no numbers
constexpr double kManyTimes = 20.0;     // listed numbers so far apart are shown by their logarithm
constexpr std::size_t kFewNumbers = 3;  // fewer in a list stand side by side, as names do
constexpr std::size_t kLongLabel = 10;

// Where values stand from left to right.
class Across {
 public:
  Across(const Axis& axis, std::span<const Trial> trials, std::size_t place) : names_(axis.values) {
    for (const Trial& trial : trials) {
      const std::string& value = trial.values[place];
      if (std::ranges::find(names_, value) == names_.end()) names_.push_back(value);
      if (const auto number = number_in(value)) numbers_.push_back(*number);
    }
    numeric_ =
        numbers_.size() == trials.size() && (axis.range || axis.values.size() >= kFewNumbers);
    if (!numeric_) return;
    const auto [least, largest] = std::ranges::minmax(numbers_);
    logarithmic_ =
        axis.range ? axis.range->logarithmic : least > 0.0 && largest / least >= kManyTimes;
    if (logarithmic_) {
      for (double tick = std::pow(10.0, std::floor(std::log10(least))); tick <= largest * 10;
           tick *= 10) {
        if (tick >= least * 0.999 && tick <= largest * 1.001) ticks_.push_back(tick);
      }
      if (ticks_.size() < 2) ticks_ = {least, largest};
      low_ = std::log(std::min(least, ticks_.front()));
      high_ = std::log(std::max(largest, ticks_.back()));
    } else {
      ticks_ = ticks_of(least, largest);
      low_ = ticks_.front();
      high_ = ticks_.back();
    }
    if (!(high_ > low_)) high_ = low_ + 1.0;
  }

  double at(const std::string& value) const {
    if (!numeric_) {
      const auto found = std::ranges::find(names_, value) - names_.begin();
      return kLeft +
             span() * (static_cast<double>(found) + 0.5) / static_cast<double>(names_.size());
    }
    return at(number_in(value).value());
  }

  std::string labels() const {
    std::string svg;
    const auto label = [&](double x, const std::string& text) {
      svg += fmt::format(R"(<text class="mid" x="{:.1f}" y="{:.1f}">{}</text>)", x, kHeight - 8,
                         escape_html(text));
    };
    if (numeric_) {
      for (const double tick : ticks_) label(at(tick), fmt::format("{:.4g}", tick));
      return svg;
    }
    const std::size_t every = (names_.size() + kLabels - 1) / kLabels;
    for (std::size_t i = 0; i < names_.size(); i += every) {
      const std::string& name = names_[i];
      label(at(name), name.size() > kLongLabel ? name.substr(0, kLongLabel - 1) + "…" : name);
    }
    return svg;
  }

 private:
  static double span() { return kWidth - kRight - kLeft; }
  double at(double number) const {
    return kLeft + span() * ((logarithmic_ ? std::log(number) : number) - low_) / (high_ - low_);
  }

  std::vector<std::string> names_;  // of a list in its order
  std::vector<double> numbers_;
  std::vector<double> ticks_;
  bool numeric_ = false;
  bool logarithmic_ = false;
  double low_ = 0.0;
  double high_ = 1.0;
};

// From the lower quartile of the scores up, so that those that learnt nothing leave room for the
// others.
std::vector<double> score_ticks(std::span<const Trial> trials) {
  return ticks_of(trials[trials.size() * 3 / 4].score(), trials.front().score());
}

std::string render_axis(std::span<const Trial> trials, const Axis& axis, std::size_t place,
                        const std::string& score) {
  const Across across(axis, trials, place);
  const std::vector<double> ticks = score_ticks(trials);
  const double range = ticks.back() - ticks.front();
  const auto up = [&](double value) {
    const double share = std::clamp((value - ticks.front()) / range, 0.0, 1.0);
    return kHeight - kBottom - (kHeight - kBottom - kTop) * share;
  };
  std::string svg = begin_chart(fmt::format("{} over {}", score, axis.option), "", kWidth, kHeight);
  for (const double tick : ticks) {
    svg += fmt::format(R"(<line class="grid" x1="{0:.1f}" y1="{2:.1f}" x2="{1:.1f}" y2="{2:.1f}"/>)"
                       R"(<text class="end" x="{3:.1f}" y="{4:.1f}">{5:.4g}</text>)",
                       kLeft, kWidth - kRight, up(tick), kLeft - 7, up(tick) + 4,
                       std::abs(tick) < 1e-9 * range ? 0.0 : tick);
  }
  svg += across.labels();
  // The best one last, above the others.
  for (std::size_t i = trials.size(); i-- > 0;) {
    svg += fmt::format(R"(<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="{}"/>)",
                       i == 0 ? "c2" : "c1 dim", across.at(trials[i].values[place]),
                       up(trials[i].score()), i == 0 ? 5 : 3.5);
  }
  return svg + "</svg></figure>\n";
}

std::string render_table(std::span<const Trial> ranked, std::span<const Axis> axes,
                         const std::string& score) {
  std::string html =
      "<div class=\"scroll\"><table><caption>The best of them</caption><thead><tr><th>trial</th>";
  for (const char* name : {score.c_str(), "val_loss", "epochs"})
    html += fmt::format("<th>{}</th>", name);
  for (const Axis& axis : axes) html += "<th>" + escape_html(axis.option) + "</th>";
  html += "</tr></thead><tbody>\n";
  for (const Trial& trial : ranked.first(std::min(kRows, ranked.size()))) {
    html += fmt::format("<tr><td>{}</td>", trial.number);
    html += trial.diverged()
                ? "<td>diverged</td><td></td><td></td>"
                : fmt::format("<td>{}</td><td>{}</td><td>{}</td>", figure(trial.score()),
                              figure(trial.loss()), trial.epochs());
    for (const std::string& value : trial.values) html += "<td>" + escape_html(value) + "</td>";
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

}  // namespace

std::string render_search(std::span<const Trial> ranked, std::span<const Axis> axes,
                          const std::string& score) {
  std::vector<Trial> sound;
  std::ranges::copy_if(ranked, std::back_inserter(sound),
                       [](const Trial& trial) { return !trial.diverged(); });
  if (sound.empty()) return {};
  std::ranges::stable_sort(sound.begin() + 1, sound.end(), std::greater(), &Trial::score);
  std::string html = fmt::format(
      "<section><h2>How its options were found</h2>\n<p class=\"soft\">{} trials; each dot is the "
      "best epoch of one, or the mean over its runs, and the large one is the trial that was "
      "chosen. What is far behind lies on the lower edge.</p>\n<div class=\"charts\">\n",
      ranked.size());
  for (std::size_t i = 0; i < axes.size(); ++i) html += render_axis(sound, axes[i], i, score);
  return html + "</div>\n" + render_table(ranked, axes, score) + "</section>\n";
}

}  // namespace millrace
