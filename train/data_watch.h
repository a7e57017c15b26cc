#pragma once

#include <functional>
#include <string>

#include "formats/dataset.h"

namespace millrace {

/// Looks whether the files that a run reads where they lie are written to meanwhile: training goes
/// on with whatever is there, and nothing else would tell.
class DataWatch {
 public:
  /// `train` outlives it; `hash` is its Dataset::hash() as the run began. `notice` is told of files
  /// that were written to without another content, or of which that cannot be said.
  DataWatch(const Dataset& train, std::string hash, std::function<void(const std::string&)> notice);

  /// Before what was trained is told or saved. A look at each mapped file's size and time, and a
  /// look at all samples where one of them has changed. Throws DataError if they are others.
  void check() const;

 private:
  const Dataset& train_;
  std::string hash_;
  std::function<void(const std::string&)> notice_;
};

}  // namespace millrace
