#include "train/verdict.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace millrace {
namespace {

// Below these shares of the training time a wait is not worth a user's attention. Threads always
// wait a little for each other: a small model's step has three meetings in some tens of
// microseconds.
constexpr double kWorthTelling = 0.10;
constexpr double kMuchWaiting = 0.25;
// A resident set's copies are lists of indices: how much of them is hidden says nothing.
constexpr double kMuchCopying = 0.05;

std::string percent(double share) {
  std::array<char, 16> digits{};
  std::snprintf(digits.data(), digits.size(), "%.0f %%", 100.0 * std::clamp(share, 0.0, 1.0));
  return digits.data();
}

// Of a device: copies that had steps beside them, and time without any.
std::string device_shares(const EngineStats& engine) {
  const double whole = engine.busy + engine.idle;
  std::string idle =
      "device idle " + percent(whole <= 0.0 ? 0.0 : engine.idle / whole) + " of the time";
  if (engine.copying < kMuchCopying * whole) return idle;
  return percent(engine.hidden / engine.copying) + " of copy time hidden behind compute, " + idle;
}

// That not all threads compute, and why.
std::string fewer_threads(const EngineStats& engine) {
  if (engine.chosen == engine.choices) return {};
  return "; " + std::to_string(engine.chosen) + " of " + std::to_string(engine.choices) +
         " threads computed, which was faster than all";
}

}  // namespace

std::string verdict(const LoaderStats& loader, const EngineStats& engine, double training) {
  if (training <= 0.0 || loader.chunks == 0) return "nothing was trained";
  const double starved = std::clamp(loader.consumer.starved / training, 0.0, 1.0);
  const double waiting = engine.busy <= 0.0 ? 0.0 : engine.waiting / engine.busy;
  if (starved >= kWorthTelling) {
    // Workers that had no free slot were not the bottleneck all the time: the supply is uneven.
    const bool uneven = loader.fill.blocked > loader.fill.busy;
    return "loader-bound: the engine waited for samples " + percent(starved) +
           " of the training time; " +
           (uneven ? "more slots or larger chunks would even out the supply"
                   : "more workers, or a resident data set, would feed it faster");
  }
  if (engine.copying > 0.0) {
    // Of the device's time, so that a device that waits for copies cannot make them look small.
    const double exposed = (engine.copying - engine.hidden) / (engine.busy + engine.idle);
    if (exposed >= kWorthTelling) {
      return "copy-bound: " + device_shares(engine) +
             "; a resident data set, larger chunks or more slots would hide more";
    }
    return "compute-bound: " + device_shares(engine);
  }
  if (waiting >= kMuchWaiting) {
    return "imbalanced: the engine's threads waited for each other " + percent(waiting) +
           " of its time; " + (engine.choices == 0 ? "fewer threads, " : "") +
           "a larger batch or a less busy machine would lower that" + fewer_threads(engine);
  }
  return "compute-bound: the engine waited for samples " + percent(starved) +
         " of the training time" + fewer_threads(engine);
}

}  // namespace millrace
