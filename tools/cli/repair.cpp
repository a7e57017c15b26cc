#include "tools/cli/repair.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "formats/error.h"
#include "formats/idx_names.h"
#include "formats/seekable_idx.h"
#include "tools/cli/idx_files.h"
#include "tools/cli/kept_samples.h"
#include "tools/cli/repair_shards.h"
#include "tools/cli/shard_files.h"
#include "tools/cli/verify.h"
#include "tools/console/made_folder.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

/// The files of one split of one variant, which belong together.
using Group = std::vector<SalvagedIdx>;

/// The samples that all files of a group have.
std::vector<bool> kept_of(const Group& group, Task task) {
  auto kept = group.front().sound();
  for (const auto& file : group) {
    kept.resize(std::min(kept.size(), file.sound().size()));
    for (std::size_t i = 0; i < kept.size(); ++i) kept[i] = kept[i] && file.sound()[i];
    if (parse_idx_name(file.path().filename().string())->role != IdxRole::kLabels) continue;
    const auto faults = check_labels(file, {.task = task}).faults;
    leave_out(faults, kept);
    if (!faults.empty() && std::ranges::count(kept, true) == 0) {
      throw DataError(file.path(),
                      fmt::format("no sample can be salvaged: {}", faults.front().what));
    }
  }
  return kept;
}

struct Rewritten {
  RepairedFile file;
  std::unique_ptr<SeekableIdxWriter> writer;
};

Rewritten rewrite(const RepairSpec& spec, const SalvagedIdx& source, const std::vector<bool>& kept,
                  const fs::path& target) {
  const auto count = static_cast<std::uint64_t>(std::ranges::count(kept, true));
  if (!source.header() || (count == 0 && source.samples() > 0)) {
    throw DataError(source.path(),
                    fmt::format("no sample can be salvaged: {}", source.faults().empty()
                                                                     ? "what belongs to it is lost"
                                                                     : source.faults()[0].what));
  }
  Rewritten made{.file = {.from = source.path(),
                          .to = target,
                          .samples_before = source.samples(),
                          .samples = count,
                          .dropped = {},
                          .faults = source.faults()},
                 .writer = nullptr};
  auto all = kept;
  all.resize(source.sound().size(), false);
  made.file.dropped = lost_ranges(all);
  auto header = *source.header();
  if (!header.dims.empty() && !kept.empty()) header.dims[0] = static_cast<std::uint32_t>(count);
  const SeekableOptions options{.threads = spec.jobs};
  made.writer = std::make_unique<SeekableIdxWriter>(target, header, options);
  if (count != 0) append_kept(source, kept, *made.writer);
  return made;
}

}  // namespace

std::vector<RepairedFile> repair(const RepairSpec& spec,
                                 const std::function<bool(std::size_t, std::size_t)>& progress) {
  if (is_sharded(spec.in)) return repair_shards(spec, progress);
  std::map<std::pair<std::string, DataSplit>, std::vector<fs::path>> groups;
  const auto paths = idx_files_at(spec.in);
  std::map<fs::path, fs::path> targets;
  for (const auto& path : paths) {
    const auto name = *parse_idx_name(path.filename().string());
    groups[{name.variant, name.split}].push_back(path);
    targets[path] = target_in(spec.out, path, ".zst", spec.force);
  }
  const MadeFolder folder(spec.out);

  std::vector<Rewritten> rewritten;
  for (const auto& [key, members] : groups) {
    Group group;
    group.reserve(members.size());
    for (const auto& path : members) group.emplace_back(path);
    const auto kept = kept_of(group, spec.task);
    for (const auto& file : group) {
      rewritten.push_back(rewrite(spec, file, kept, targets.at(file.path())));
      if (!progress(rewritten.size(), paths.size())) return {};
    }
  }
  std::vector<RepairedFile> done;
  for (auto& file : rewritten) {
    file.writer->commit();
    done.push_back(std::move(file.file));
  }
  return done;
}

}  // namespace millrace
