#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "tools/fetch/http.h"
#include "tools/fetch/sources.h"

namespace millrace {

struct FetchSpec {
  DataSource source;
  std::filesystem::path folder;  ///< made where it is missing
  bool force = false;            ///< replace files of other content, in any form
  unsigned retries = 4;          ///< rounds through the mirrors after the first
  unsigned first_wait_ms = 500;  ///< before the first of them; it doubles, up to 16 times as long
  HttpLimits limits;
};

/// How a download goes on, told on the caller's thread. Every member is set.
struct FetchHooks {
  std::function<bool()> stopped;  ///< true breaks it off; what has come stays for the next time
  std::function<void(const SourceFile& file, std::uint64_t bytes)> progress;
  std::function<void(const std::string& trouble)> notice;  ///< a mirror failed, and it goes on
};

struct FetchedFile {
  std::filesystem::path path;
  std::uint64_t bytes = 0;  ///< of the file
  bool was_there = false;
};

struct FetchResult {
  std::vector<FetchedFile> files;
  bool stopped = false;
};

/// Downloads the files of a data set that `folder` does not have yet, under their names or in
/// another form (see find_present). A file appears there only whole, durable and with the right
/// SHA-256. A broken download goes on where it stopped, at any mirror: the sum, not the server,
/// says whether the pieces fit, and where they do not the file is fetched anew.
///
/// Throws DataError if no mirror has a good file, if a file that stands for it has another content
/// and `force` is not set, or if the folder cannot be written.
FetchResult fetch(const FetchSpec& spec, const FetchHooks& hooks);

}  // namespace millrace
