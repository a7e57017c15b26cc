#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace millrace {

/// Stands in a folder (kConversionName) while the files of one conversion, which lie there written
/// and durable, get their names: a step for each, between which the process may be killed. Those
/// that have theirs by then would pass for a whole set; with the marker the folder opens for
/// nobody. It says their names, a line each: the same conversion may replace these without being
/// forced. Where a set is converted beside itself it is left out: that set is whole at any time,
/// and has to open for the same conversion again. Throws DataError.
class ConversionMarker {
 public:
  /// Of a conversion from `in`, a folder or file, into the folder `out`: looks for that of one
  /// which was interrupted.
  ConversionMarker(const std::filesystem::path& in, const std::filesystem::path& out);

  /// The names that it says, sorted; none where there is none.
  const std::vector<std::string>& interrupted() const noexcept { return names_; }

  /// Before the first of `files`, all in the folder, gets its name: durable.
  void put(const std::vector<std::filesystem::path>& files) const;
  /// After the last one has its own.
  void remove() const;

 private:
  std::filesystem::path path_;
  bool left_out_ = false;
  std::vector<std::string> names_;
};

}  // namespace millrace
