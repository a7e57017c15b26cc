#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "tools/console/console.h"
#include "tools/trainer/metrics_file.h"
#include "train/observer.h"

namespace millrace {

/// Appends a JSON line for each sample that cannot be read: "dataset" and the sample's number in
/// it, the broken "file", the "offset" in its decompressed content (null where none is known) and
/// the "reason". Lines of earlier runs stay, and what they name is not named again. A file that
/// fails on the way, or that begins with another line, is told once, as a warning; the run goes on.
class QuarantineObserver final : public TrainObserver {
 public:
  /// The file is made when there is something to write. `console` outlives the observer.
  QuarantineObserver(std::filesystem::path path, Console& console);

  /// Makes the file now. Throws DataError if it cannot be written, or begins with another line.
  void open();
  bool may_lag() const override { return true; }
  void on_bad_sample(const std::string& dataset, const BadSample& sample) override;

  bool failed() const noexcept { return failed_; }
  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  void fail(const std::string& error);

  std::filesystem::path path_;
  Console& console_;
  std::optional<MetricsFile> file_;
  std::set<std::pair<std::string, std::uint64_t>> known_;  // data set, sample
  bool failed_ = false;
};

}  // namespace millrace
