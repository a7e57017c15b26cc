#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/report/judged.h"
#include "tools/trainer/metrics_records.h"
#include "train/observer.h"

namespace millrace {

/// All that the page on a run shows.
struct Report {
  std::string command;                                       ///< that started the run
  std::string data;                                          ///< one line on the data set
  std::vector<std::pair<std::string, std::string>> options;  ///< name and value, in effect
  RunInfo info;
  RunResult result;
  ProcessFigures process;
  std::optional<Judged> judged;  ///< the test set, or validation where there is none
  std::vector<Picture> weights;  ///< of the first layer's units; empty where inputs are no pictures
  std::uint64_t units = 0;       ///< of the first layer, also those that are not shown
  std::string versions;          ///< several lines
  std::string search = {};       ///< a section on how the options were found, in HTML; or empty
};

/// Pictures of at most `most` units of a first layer, "0.weight" [units, h * w], all to one scale.
/// Empty where `shape` is not [h, w] or [1, h, w].
std::vector<Picture> first_layer(const Tensor& weights, const SampleShape& shape, std::size_t most);

/// The page: one HTML document that needs no network and no scripts, in light and in dark, for wide
/// and for narrow screens. Pictures are left out beyond about 1 MB of them, so that it stays below
/// 2 MB.
std::string render_report(const Report& report);

}  // namespace millrace
