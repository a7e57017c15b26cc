#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tools/console/output.h"

namespace millrace {

/// What a progress bar shows.
struct Bar {
  std::string label;                 ///< what goes on: "Epoch [3]"
  double share = 0.0;                ///< of the work that is done, 0 to 1
  std::vector<std::string> details;  ///< the most important one first; ASCII, as the label
};

/// One line of at most `columns` - 3 characters: the label, a bar, the percentage, and the details
/// as far as there is room. Narrower still it loses the bar, then its end.
std::string render_bar(const Bar& bar, std::size_t columns, bool utf8);

/// "12 s", "3:05 min", "1:02:03 h": how long something will still take.
std::string render_duration(double seconds);

/// "950", "47.2k", "1.21M": three digits that matter.
std::string render_count(double count);

/// A bar that is redrawn in place on a terminal.
class ProgressBar {
 public:
  /// Draws nothing unless `live`. `output` outlives the bar.
  ProgressBar(Output& output, bool live) noexcept;
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void draw(const Bar& bar);
  /// Empties the line, so that it can take other text.
  void clear();

 private:
  Output& output_;
  bool live_;
  bool shown_ = false;
};

}  // namespace millrace
