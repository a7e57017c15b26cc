#include "tools/trainer/checkpoint_guard.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "tools/console/quote.h"
#include "tools/console/usage_error.h"
#include "train/checkpoint_dir.h"

namespace millrace {
namespace {

bool goes_on_from(const RunSpec& run) {
  if (!run.resume || run.resume_from.empty()) return run.resume;
  std::filesystem::path folder = run.resume_from;
  std::error_code missing;
  if (!std::filesystem::is_directory(folder, missing)) folder = folder.parent_path();
  return std::filesystem::equivalent(folder.empty() ? "." : folder, run.checkpoint_dir, missing);
}

}  // namespace

void refuse_to_replace_checkpoints(const RunSpec& run) {
  if (run.checkpoint_dir.empty() || goes_on_from(run)) return;
  std::vector<std::string> names = checkpoint_names(run.checkpoint_dir);
  if (names.empty()) return;
  constexpr std::size_t kShown = 4;
  const std::size_t more = names.size() - std::min(names.size(), kShown);
  names.resize(names.size() - more);
  throw UsageError(one_line(fmt::format(
      "--checkpoint-dir {}: expected no checkpoints of another run, found {}{}; --resume goes on "
      "from them, --force replaces them",
      run.checkpoint_dir.string(), fmt::join(names, ", "),
      more > 0 ? fmt::format(" and {} more", more) : "")));
}

}  // namespace millrace
