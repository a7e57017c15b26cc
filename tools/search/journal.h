#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "tools/search/trial.h"
#include "tools/trainer/metrics_file.h"

namespace millrace {

/// What decides how a run ends: the hash of its data, and its options by name but those that change
/// nothing of the result (threads, files that are written, …).
struct RunKey {
  std::string data;
  std::map<std::string, std::string> options;
  std::uint64_t until = 0;  ///< epochs, of a run that was left there; 0: of a whole one
};

/// The options of `given` (Options::given) that decide the result, numbers written in one way; the
/// seed, which each run has of its own, is not one of them, nor is --repeat.
std::map<std::string, std::string> deciding(const std::map<std::string, std::string>& given);

/// The file of --journal: a JSON line for each run that has ended,
/// {"search": 1, "data": "<hash>", "options": {"--lr": "0.1", …}, "run": {…}}, with "until": 3 of a
/// run that was left after 3 epochs. A search that finds
/// a run there does not repeat it. One process at a time has it open. Not for several threads at
/// once.
class Journal {
 public:
  /// Opens the file, or makes it, and reads it; a line that was cut off when a process was killed
  /// is dropped. Throws DataError where it cannot, where it holds something else, and where another
  /// search has it open.
  explicit Journal(const std::filesystem::path& path);

  /// The run of `key` with the seed and the fold of `named`.
  std::optional<TrialRun> find(const RunKey& key, const TrialRun& named) const;
  /// What cannot be written is kept in error().
  void add(const RunKey& key, const TrialRun& run);
  std::size_t size() const noexcept { return runs_.size(); }
  const std::string& error() const noexcept { return file_.error(); }

 private:
  // Data, options, epochs, seed, fold.
  using Place = std::tuple<std::string, std::map<std::string, std::string>, std::uint64_t,
                           std::uint64_t, std::uint32_t>;
  static Place place(const RunKey& key, const TrialRun& run) {
    return {key.data, key.options, key.until, run.seed, run.fold};
  }

  MetricsFile file_;
  std::map<Place, TrialRun> runs_;
};

}  // namespace millrace
