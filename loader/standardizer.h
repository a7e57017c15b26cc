#pragma once

#include <span>
#include <vector>

#include "formats/dataset.h"
#include "loader/subset.h"

namespace millrace {

/// What makes the values of a table alike: (value - mean) / deviation, by feature, in float32, has
/// mean 0 and deviation 1 over the samples that it was fitted to.
struct Standardizer {
  std::vector<float> mean;       ///< [features]
  std::vector<float> deviation;  ///< [features], above 0; 1 where all values are the same

  /// In place. `rows`: [n, features], row-major.
  void apply(std::span<float> rows) const noexcept;
  bool operator==(const Standardizer&) const = default;
};

/// Of the samples `subset` of `data`, each feature by itself; deviations are those of the samples
/// (divided by n). Reads them once, in stored order, on all cores, and adds up in double precision
/// in blocks of a size that only the number of features decides: a pure function of the samples.
/// Those that cannot be read are left out where `tolerant`. A value that is not finite makes its
/// feature's numbers so. Throws DataError for samples that cannot be read, or where none can.
Standardizer fit_standardizer(const Dataset& data, const Subset& subset, bool tolerant);

}  // namespace millrace
