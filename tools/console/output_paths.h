#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace millrace {

/// A file that an option names.
struct NamedPath {
  std::string option;  ///< "--metrics"
  std::filesystem::path path;
};

/// Throws UsageError if two of `outputs` are one file, or one of them is among `inputs`. Empty
/// paths are none; what cannot be looked at is left to whoever opens it. Devices and pipes may be
/// named twice.
void check_output_paths(const std::vector<NamedPath>& outputs,
                        const std::vector<NamedPath>& inputs = {});

}  // namespace millrace
