#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "formats/folder.h"
#include "tools/search/listener.h"
#include "tools/search/search_options.h"

namespace millrace {

/// How a search shares the machine out.
struct Shares {
  std::uint32_t at_once = 1;  ///< runs
  std::uint32_t threads = 1;  ///< of each at most: as many of them as make it fastest
};
/// `parallel` and `threads` are what was asked for, 0 where nothing was; `runs` there are to do,
/// `cores` to do them on. On a GPU (`on_gpu`) one run at a time.
Shares shares_of(std::uint32_t parallel, std::uint32_t threads, std::uint64_t runs,
                 std::uint32_t cores, bool on_gpu) noexcept;

/// What became of a search's trials.
struct TrialRuns {
  std::vector<Trial> trials;  ///< with the runs that ended
  std::uint64_t from_journal = 0;
  std::uint64_t runs = 0;    ///< done here
  std::uint64_t wanted = 0;  ///< in all, of all rungs
  std::size_t rungs = 1;     ///< see Rung
  double seconds = 0.0;
  Shares shares;
  bool journal_lost = false;  ///< it could not be written, and that was told
};

/// Runs all trials on `data`, several at once, and tells `listener` how it goes. `stopped` is
/// asked 20 times a second whether to leave it at what there is. Trials that cannot run on these
/// data are left out, which is told; UsageError where none can. Else throws what the trainer and
/// the journal throw.
TrialRuns run_trials(const SearchOptions& search, const DataFolder& data, SearchListener& listener,
                     const std::function<bool()>& stopped);

/// "1 trial", "2 trials".
std::string plural(std::uint64_t count, const std::string& word);

/// What scores are called: "val_acc", of regressions "val_r2".
std::string score_name(Task task);

}  // namespace millrace
