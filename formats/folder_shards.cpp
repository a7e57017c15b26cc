#include <fmt/format.h>

#include <array>
#include <system_error>
#include <utility>

#include "formats/error.h"
#include "formats/folder_kinds.h"
#include "formats/shard_manifest.h"
#include "formats/shard_names.h"
#include "formats/sharded_set.h"
#include "formats/targets.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

/// A manifest says what its labels are.
void check_task(const fs::path& folder, const ShardManifest& manifest, Task task) {
  if (task == manifest.task()) return;
  const auto classes = fmt::format("{} classes", manifest.classes);
  const auto targets =
      fmt::format("{} target{}", manifest.targets, manifest.targets == 1 ? "" : "s");
  throw DataError(
      folder / kManifestName, std::nullopt,
      task == Task::kRegression ? "targets (--task regression or multilabel)" : "classes",
      task == Task::kRegression ? classes : targets + std::string(kRegressionAdvice));
}

DataFolder open_manifest(const fs::path& folder, const OpenOptions& options) {
  const auto manifest = read_manifest(folder / kManifestName);
  check_task(folder, manifest, options.task);
  auto train = open_sharded(folder, manifest, manifest.train, options.most_decoded);
  auto shards = manifest.train.shards.size();
  const auto beside = [&](const auto& split) -> std::shared_ptr<const Dataset> {
    if (!split) return nullptr;
    shards += split->shards.size();
    return open_sharded(folder, manifest, *split, options.most_decoded);
  };
  // Without test samples those of validation stand for them.
  auto test = beside(manifest.test ? manifest.test : manifest.validation);
  const bool own = manifest.test && manifest.validation;
  auto validation = own && options.own_validation ? beside(manifest.validation) : nullptr;
  const auto counted = fmt::format("samples in {} shards", shards);
  const bool left_out = own && !options.own_validation;
  auto opened = data_folder(folder, std::move(train), std::move(test), options, counted,
                            std::move(validation));
  if (left_out) {
    opened.description +=
        left_out_text(std::array{folder / manifest.validation->shards[0].images.name});
  }
  return opened;
}

}  // namespace

std::optional<DataFolder> open_sharded_folder(const fs::path& path, const OpenOptions& options) {
  if (path.filename() == kManifestName) {
    return open_manifest(path.has_parent_path() ? path.parent_path() : ".", options);
  }
  if (!has_manifest(path)) return std::nullopt;
  return open_manifest(path, options);
}

void refuse_lone_shards(const fs::path& folder) {
  std::error_code error;
  if (fs::exists(folder / kUnfinishedName, error)) {
    throw DataError(folder,
                    "holds shards of a conversion that was interrupted; the same 'tools convert' "
                    "goes on from there");
  }
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (!parse_shard_name(it->path().filename().string())) continue;
    const auto manifest = folder / kManifestName;
    if (fs::exists(manifest, error)) read_manifest(manifest);  // says what is wrong with it
    throw DataError(manifest,
                    "expected beside the shards, found none; 'tools repair' makes it anew");
  }
}

}  // namespace millrace
