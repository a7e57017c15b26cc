#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tools/fetch/sources.h"

namespace millrace {

/// What a folder has of a published file already, in whatever form: under its name or another that
/// data sets' readers take for it, compressed or not.
struct Present {
  std::filesystem::path path;  ///< the file that has the content; empty: none has
  std::string
      unchecked;  ///< a line for the user: whether it is that content cannot be told; or empty
  std::vector<std::filesystem::path> others;  ///< of other content, or one that cannot be told
};

/// Looks at all of them. Throws DataError for a file that cannot be read, or, without `force`, one
/// of other content: readers might take it. With `force` those are `others`, and one whose content
/// cannot be told counts as one of them.
Present find_present(const std::filesystem::path& folder, const SourceFile& file, bool force);

}  // namespace millrace
