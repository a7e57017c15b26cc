#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "formats/folder.h"
#include "tools/report/report.h"
#include "train/trainer.h"

namespace millrace {

/// What a report tells of beside what observers hear.
struct ReportContext {
  std::vector<std::string> arguments;  ///< the command line, program first
  RunSpec spec;
  DataFolder data;
  double load_s = 0.0;
  std::string search = {};  ///< see Report
};

/// Writes the page on a run when it is over.
class ReportObserver final : public TrainObserver {
 public:
  /// Throws DataError if `path` cannot be written, before anything is trained.
  explicit ReportObserver(std::filesystem::path path);

  bool may_lag() const override { return true; }
  void on_start(const RunInfo& info) override { info_ = info; }

  /// Looks at the test set, or at the validation samples where there is none, with the engine that
  /// was trained, and writes the page, whole or not at all. Throws DataError.
  void write(const ReportContext& context, Engine& engine, const RunResult& result) const;

 private:
  Report collect(const ReportContext& context, Engine& engine, const RunResult& result) const;

  std::filesystem::path path_;
  RunInfo info_;
};

/// The options of a run by their names on the command line, in effect.
std::vector<std::pair<std::string, std::string>> options_in_effect(const RunSpec& spec,
                                                                   const RunInfo& info);

}  // namespace millrace
