#include "tools/cli/repair_shards.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <system_error>
#include <utility>

#include "formats/error.h"
#include "formats/idx_names.h"
#include "formats/seekable_idx.h"
#include "formats/shard_manifest.h"
#include "formats/shard_names.h"
#include "formats/sharded_set.h"
#include "tools/cli/convert_source.h"
#include "tools/cli/kept_samples.h"
#include "tools/cli/shard_files.h"
#include "tools/cli/verify.h"
#include "tools/cli/verify_shards.h"
#include "tools/console/made_folder.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

/// One file of a shard, and what is left of it.
struct Left {
  fs::path path;
  std::optional<SalvagedIdx> found;
  std::vector<IdxFault> faults;

  bool readable() const { return found && found->header(); }
};

struct Shares {
  DataSplit split = DataSplit::kTrain;
  Left images;
  Left labels;
  std::vector<bool> kept;
  std::uint64_t before = 0;
  std::uint64_t count() const { return static_cast<std::uint64_t>(std::ranges::count(kept, true)); }
};

Left look_at(const fs::path& path, const std::optional<IdxHeader>& known) {
  Left left{.path = path, .found = {}, .faults = {}};
  std::error_code error;
  if (!fs::exists(path, error)) {
    left.faults.push_back({.what = "expected a shard, found no such file", .samples = {}});
    return left;
  }
  left.found.emplace(path);
  left.faults = left.found->faults();
  // A header that is there has precedence: it says how the elements behind it lie.
  if (known && !left.found->header()) left.found.emplace(path, known);
  return left;
}

/// `kind` learns of the first labels how many targets a sample has.
Shares look_at(const ShardInventory& inventory, const ExpectedShard& shard, LabelKind& kind) {
  std::optional<IdxHeader> labels_header;
  if (shard.said) {
    labels_header = idx_labels_header(shard.said->samples, kind.classes, kind.targets);
  }
  Shares left{.split = shard.split,
              .images = look_at(shard.images, inventory.images_header(shard)),
              .labels = look_at(shard.labels, labels_header),
              .kept = {}};
  const auto samples_of = [](const Left& file) {
    return file.readable() ? file.found->samples() : 0;
  };
  left.before =
      shard.said ? shard.said->samples : std::max(samples_of(left.images), samples_of(left.labels));
  left.kept.resize(static_cast<std::size_t>(left.before));
  if (!left.images.readable() || !left.labels.readable()) return left;
  auto check = check_labels(*left.labels.found, kind);
  if (kind.targets == 0) kind.targets = check.targets;
  auto bad_labels = std::move(check.faults);
  const auto& images = left.images.found->sound();
  const auto& labels = left.labels.found->sound();
  for (std::size_t i = 0; i < left.kept.size(); ++i) {
    left.kept[i] = i < images.size() && i < labels.size() && images[i] && labels[i];
  }
  leave_out(bad_labels, left.kept);
  std::ranges::move(bad_labels, std::back_inserter(left.labels.faults));
  return left;
}

ShardFile write_kept(const fs::path& target, const SalvagedIdx& source,
                     const std::vector<bool>& kept, unsigned threads) {
  auto header = *source.header();
  header.dims[0] = static_cast<std::uint32_t>(std::ranges::count(kept, true));
  SeekableIdxWriter writer(target, header, {.threads = threads});
  append_kept(source, kept, writer);
  writer.commit();
  return describe_shard_file(target);
}

/// Removes what was written, unless it is kept.
class Written {
 public:
  Written() = default;
  ~Written() {
    std::error_code ignored;
    for (const auto& path : paths_) fs::remove(path, ignored);
  }
  Written(const Written&) = delete;
  Written& operator=(const Written&) = delete;
  void add(fs::path path) { paths_.push_back(std::move(path)); }
  void keep() noexcept { paths_.clear(); }

 private:
  std::vector<fs::path> paths_;
};

void check_room(const RepairSpec& spec, const fs::path& folder) {
  std::error_code error;
  if (fs::equivalent(folder, spec.out, error)) {
    throw DataError(spec.out, "is what is to be repaired; choose another folder");
  }
  if (!find_idx_files(spec.out).empty()) {
    throw DataError(
        spec.out,
        fmt::format("has IDX files, which {} would hide; choose another folder", kManifestName));
  }
  const auto manifest = spec.out / kManifestName;
  const auto there = shards_in(spec.out);
  const bool has_one = fs::exists(fs::symlink_status(manifest, error));
  if (!spec.force && (has_one || !there.empty())) {
    throw DataError(has_one ? manifest : there[0], "is there already; --force replaces it");
  }
  if (has_one) fs::remove(manifest);
  for (const auto& shard : there) fs::remove(shard);
}

/// One more than the largest training label that is kept.
std::uint32_t classes_left(const std::vector<Shares>& shards) {
  std::int64_t most = 0;
  for (const auto& shares : shards) {
    if (shares.split != DataSplit::kTrain || shares.count() == 0) continue;
    each_label(*shares.labels.found, [&](std::uint64_t sample, std::int64_t label) {
      const auto i = static_cast<std::size_t>(sample);
      if (i < shares.kept.size() && shares.kept[i]) most = std::max(most, label);
    });
  }
  return static_cast<std::uint32_t>(most) + 1;
}

}  // namespace

std::vector<RepairedFile> repair_shards(
    const RepairSpec& spec, const std::function<bool(std::size_t, std::size_t)>& progress) {
  const auto inventory = take_inventory(spec.in);
  std::vector<Shares> all;
  auto kind = label_kind_of(inventory, spec.task);
  for (const auto& shard : inventory.shards) all.push_back(look_at(inventory, shard, kind));
  const auto is_left = [](DataSplit split) {
    return [split](const Shares& shares) { return shares.split == split && shares.count() > 0; };
  };
  const auto first = std::ranges::find_if(all, is_left(DataSplit::kTrain));
  if (first == all.end()) throw DataError(spec.in, "no training sample can be salvaged");
  const MadeFolder out(spec.out);
  check_room(spec, inventory.folder);

  std::vector<RepairedFile> files;
  Written written;
  std::array<ShardedSplit, 3> splits;  // by DataSplit
  for (const auto& shares : all) {
    auto& made = splits[static_cast<std::size_t>(shares.split)];
    const auto count =
        static_cast<std::uint32_t>(std::ranges::count_if(all, is_left(shares.split)));
    const auto index = static_cast<std::uint32_t>(made.shards.size());
    Shard shard{.samples = shares.count(), .images = {}, .labels = {}};
    for (const auto* left : {&shares.images, &shares.labels}) {
      const bool is_images = left == &shares.images;
      RepairedFile file{.from = left->path,
                        .to = {},
                        .samples_before = shares.before,
                        .samples = shard.samples,
                        .dropped = lost_ranges(shares.kept),
                        .faults = left->faults};
      if (shard.samples > 0) {
        const auto& header = *left->found->header();
        file.to = spec.out / shard_file_name(idx_file_name(shares.split,
                                                           is_images ? "images" : "labels", header),
                                             index, count);
        written.add(file.to);
        (is_images ? shard.images : shard.labels) =
            write_kept(file.to, *left->found, shares.kept, spec.jobs);
      }
      files.push_back(std::move(file));
      if (!progress(files.size(), 2 * all.size())) return {};
    }
    if (shard.samples == 0) continue;
    made.samples += shard.samples;
    made.shards.push_back(std::move(shard));
  }

  ShardManifest manifest;
  manifest.dtype = first->images.found->header()->dtype;
  const auto& dims = first->images.found->header()->dims;
  manifest.shape.assign(dims.begin() + 1, dims.end());
  manifest.targets = kind.targets;
  manifest.classes = kind.classes;
  if (inventory.manifest) {
    manifest.class_names = inventory.manifest->class_names;
  } else if (kind.task == Task::kClassification) {
    manifest.classes = classes_left(all);
  }
  for (auto& split : splits) {
    if (!split.shards.empty()) split.hash = open_sharded(spec.out, manifest, split, 0)->hash();
  }
  auto& [train, test, validation] = splits;
  manifest.train = std::move(train);
  if (!test.shards.empty()) manifest.test = std::move(test);
  if (!validation.shards.empty()) manifest.validation = std::move(validation);
  write_manifest(spec.out, manifest);
  written.keep();
  return files;
}

}  // namespace millrace
