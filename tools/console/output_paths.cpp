#include "tools/console/output_paths.h"

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

}  // namespace

void check_output_paths(const std::vector<NamedPath>& outputs,
                        const std::vector<NamedPath>& inputs) {
  std::vector<NamedPath> taken = inputs;
  for (const auto& output : outputs) {
    if (output.path.empty() || is_stream(output.path)) continue;
    for (const auto& other : taken) {
      if (other.path.empty() || !same(output.path, other.path)) continue;
      throw UsageError(output.option + ": expected another file than " + other.option +
                       " has, found " + shown(output.path.string()));
    }
    taken.push_back(output);
  }
}

}  // namespace millrace
