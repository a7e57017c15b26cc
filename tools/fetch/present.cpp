#include "tools/fetch/present.h"

#include <algorithm>
#include <system_error>

#include "formats/compression.h"
#include "formats/error.h"
#include "formats/idx_names.h"
#include "formats/split_names.h"
#include "tools/fetch/sha256.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

// Whether readers take both for the same part of a data set.
bool stand_for_the_same(const std::string& one, const std::string& other) {
  const auto a = parse_idx_name(one);
  const auto b = parse_idx_name(other);
  if (a && b) return a->variant == b->variant && a->split == b->split && a->role == b->role;
  return plain_file_name(one) == plain_file_name(other);
}

std::vector<fs::path> forms_of(const fs::path& folder, const std::string& name) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code unreadable;
    if (!it->is_directory(unreadable) && stand_for_the_same(it->path().filename(), name)) {
      found.push_back(it->path());
    }
  }
  if (error) throw io_error(folder, "list the folder", error.value());
  std::ranges::sort(found);
  return found;
}

std::string sum_of_content(const fs::path& path) {
  Sha256 sum;
  sum.update(read_content(path).view());
  return sum.finish();
}

}  // namespace

Present find_present(const fs::path& folder, const SourceFile& file, bool force) {
  Present present;
  fs::path unknown;
  for (const fs::path& path : forms_of(folder, file.name)) {
    const bool named = path.filename() == file.name;
    std::string expected = "SHA-256 " + file.sha256;
    std::string found;
    if (named) found = sha256_of_file(path);
    if (found != file.sha256 && !file.content_sha256.empty()) {
      try {
        found = sum_of_content(path);
      } catch (const DataError&) {
        if (!force) throw;
      }
      expected = "SHA-256 " + file.content_sha256 + " of the content";
    }
    if (found == file.sha256 || (!found.empty() && found == file.content_sha256)) {
      present.path = path;
    } else if (!named && file.content_sha256.empty() && !force) {
      unknown = path;
    } else if (force) {
      present.others.push_back(path);
    } else {
      throw DataError(path, std::nullopt, expected, found + "; tools fetch --force replaces it");
    }
  }
  if (present.path.empty() && !unknown.empty()) {
    present.path = unknown;
    present.unchecked = unknown.string() + " is taken for " + file.name +
                        " as it is, for only that file's sum is known; --force replaces it";
  }
  return present;
}

}  // namespace millrace
