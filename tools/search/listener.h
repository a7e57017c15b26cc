#pragma once

#include <cstdint>
#include <string>

#include "tools/search/trial.h"

namespace millrace {

/// Hears how a search goes, from several threads at once.
class SearchListener {
 public:
  virtual ~SearchListener() = default;
  /// Of `runs` in all `known` are done, and what `label` calls for is so many epochs more.
  virtual void begin(const std::string& /*label*/, std::uint64_t /*runs*/, std::uint64_t /*known*/,
                     std::uint64_t /*epochs*/) {}
  virtual void epochs_done(std::uint64_t /*epochs*/) {}
  virtual void run_done() {}
  /// All its runs are done, here or, if not `told`, by an earlier search.
  virtual void trial_done(const Trial& /*trial*/, bool /*told*/) {}
  virtual void line(const std::string& /*text*/) {}
  /// Something the user must know.
  virtual void warning(const std::string& text) = 0;
  /// Something the user should know; the same may come of each run.
  virtual void notice(const std::string& text) = 0;
  /// Twenty times a second, from the thread that called run_trials().
  virtual void look() {}
};

}  // namespace millrace
