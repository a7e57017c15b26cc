#include <fmt/format.h>

#include <system_error>
#include <utility>

#include "formats/error.h"
#include "formats/folder_kinds.h"
#include "formats/shard_manifest.h"
#include "formats/shard_names.h"
#include "formats/sharded_set.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

DataFolder open_manifest(const fs::path& folder, const OpenOptions& options) {
  const auto manifest = read_manifest(folder / kManifestName);
  auto train = open_sharded(folder, manifest, manifest.train, options.most_decoded);
  std::shared_ptr<const Dataset> test;
  auto shards = manifest.train.shards.size();
  if (manifest.test) {
    test = open_sharded(folder, manifest, *manifest.test, options.most_decoded);
    shards += manifest.test->shards.size();
  }
  return data_folder(folder, std::move(train), std::move(test), options,
                     fmt::format("samples in {} shards", shards));
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
