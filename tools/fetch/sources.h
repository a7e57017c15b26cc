#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

/// A published file: its content is fixed by the sum, wherever it comes from.
struct SourceFile {
  std::string name;        ///< in the folder and behind a mirror's URL; no path
  std::uint64_t size = 0;  ///< bytes
  std::string sha256;      ///< 64 hexadecimal digits, lower case
  /// The same of what it decompresses to, by which other forms of it are known; empty: none is.
  std::string content_sha256 = {};
};

/// A data set that can be downloaded.
struct DataSource {
  std::string name;                  ///< as users call it
  std::vector<std::string> mirrors;  ///< URLs that end in '/', the one to ask first first
  std::vector<SourceFile> files;
};

/// The data sets that are known: MNIST, Fashion-MNIST, KMNIST.
const std::vector<DataSource>& published_sources();

/// Reads another table: {"NAME": {"mirrors": ["http://…/"], "files": [{"name": …, "size": …,
/// "sha256": …, "content_sha256": …}]}}, the last one where it is known. Throws DataError where it
/// cannot be read or is no such table.
std::vector<DataSource> read_sources(const std::filesystem::path& file);

/// The table that the variable MILLRACE_SOURCES names, for a mirror of one's own, else the
/// published one.
std::vector<DataSource> known_sources();

/// The one called `name`. Throws UsageError with what there is.
DataSource source_called(std::string_view name, const std::vector<DataSource>& sources);

}  // namespace millrace
