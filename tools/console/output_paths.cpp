#include "tools/console/output_paths.h"

#include <fstream>
#include <string>
#include <system_error>

#include "tools/console/numbers.h"
#include "tools/console/usage_error.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

// Whether nothing would be lost by writing to it twice.
bool is_stream(const fs::path& path) {
  std::error_code error;
  const auto type = fs::status(path, error).type();
  return !error && type != fs::file_type::regular && type != fs::file_type::directory &&
         type != fs::file_type::not_found;
}

bool same(const fs::path& a, const fs::path& b) {
  std::error_code error;
  if (fs::equivalent(a, b, error)) return true;
  const fs::path whole = fs::weakly_canonical(a, error);
  if (error) return false;
  const fs::path other = fs::weakly_canonical(b, error);
  return !error && whole == other;
}

// An empty file too.
bool may_be_replaced(const NamedPath& output) {
  std::ifstream file(output.path, std::ios::binary);
  if (!file || file.peek() == std::ifstream::traits_type::eof()) return true;
  std::string found(output.begins.size(), '\0');
  file.seekg(static_cast<std::streamoff>(output.at));
  file.read(found.data(), static_cast<std::streamsize>(found.size()));
  return static_cast<std::size_t>(file.gcount()) == found.size() && found == output.begins;
}

}  // namespace

void check_output_paths(const std::vector<NamedPath>& outputs,
                        const std::vector<NamedPath>& inputs) {
  std::vector<NamedPath> taken = inputs;
  for (const auto& output : outputs) {
    if (output.path.empty()) continue;
    if (is_stream(output.path)) {
      if (output.begins.empty()) continue;
      // A new file would take the place of the link that /dev/stdout is.
      throw UsageError(output.option + ": expected a file, found " + shown(output.path.string()) +
                       ", which is a device, pipe or socket");
    }
    for (const auto& other : taken) {
      if (other.path.empty() || !same(output.path, other.path)) continue;
      throw UsageError(output.option + ": expected another file than " + other.option +
                       " has, found " + shown(output.path.string()));
    }
    if (!may_be_replaced(output)) {
      throw UsageError(output.option + ": expected a new file or what it wrote before, found " +
                       shown(output.path.string()) + ", which is something else");
    }
    taken.push_back(output);
  }
}

}  // namespace millrace
