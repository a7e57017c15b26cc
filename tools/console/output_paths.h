#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

/// A file that an option names.
struct NamedPath {
  std::string option;  ///< "--metrics"
  std::filesystem::path path;
  /// What an output of that kind, a file that is replaced as a whole, begins with at its byte `at`;
  /// empty: whatever is there may go, and lines may go to a device or pipe.
  std::string_view begins = {};
  std::uint64_t at = 0;
};

/// Throws UsageError if two of `outputs` are one file, one of them is among `inputs`, or one is a
/// file that is there and begins otherwise: a data set's, which a slip of the pen would replace; or
/// a device or pipe, where it is to be a file. Empty paths are none; what cannot be looked at is
/// left to whoever opens it. Devices and pipes may be named twice.
void check_output_paths(const std::vector<NamedPath>& outputs,
                        const std::vector<NamedPath>& inputs = {});

}  // namespace millrace
