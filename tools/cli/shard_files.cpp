#include "tools/cli/shard_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <system_error>

#include "formats/error.h"
#include "formats/hash.h"
#include "formats/mapped_file.h"
#include "formats/seek_table.h"
#include "formats/shard_names.h"
#include "tools/cli/convert_source.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

/// What `error` says without the file's name.
std::string message_of(const DataError& error, const fs::path& path) {
  std::string message = error.what();
  const auto prefix = path.string() + ": ";
  return message.starts_with(prefix) ? message.substr(prefix.size()) : message;
}

void by_manifest(ShardInventory& inventory) {
  const auto add = [&](DataSplit name, const ShardedSplit& split) {
    for (const auto& shard : split.shards) {
      inventory.shards.push_back({.split = name,
                                  .images = inventory.folder / shard.images.name,
                                  .labels = inventory.folder / shard.labels.name,
                                  .said = shard});
    }
  };
  const auto& manifest = *inventory.manifest;
  add(DataSplit::kTrain, manifest.train);
  if (manifest.test) add(DataSplit::kTest, *manifest.test);
  if (manifest.validation) add(DataSplit::kValidation, *manifest.validation);
}

/// The names that one split's shards go by.
struct Named {
  std::uint32_t count = 0;
  fs::path first;                    // that was found
  std::array<std::string, 2> bases;  // by role; empty: no file of that role
};

void by_names(ShardInventory& inventory) {
  std::map<DataSplit, Named> splits;
  std::optional<std::string> variant;
  for (const auto& path : shards_in(inventory.folder)) {
    const auto name = *parse_shard_name(path.filename().string());
    auto& split = splits[name.idx.split];
    auto& base = split.bases[static_cast<std::size_t>(name.idx.role)];
    const bool other = (split.count != 0 && split.count != name.count) ||
                       (!base.empty() && base != name.base) ||
                       (variant && *variant != name.idx.variant);
    if (other) {
      throw DataError(path, fmt::format("and {} belong to different sets, and there is no {} to "
                                        "tell which one is meant",
                                        split.first.filename().string(), kManifestName));
    }
    if (split.count == 0) split.first = path;
    split.count = name.count;
    base = name.base;
    variant = name.idx.variant;
  }
  for (auto& [split, named] : splits) {
    // What the files of a role would be called of which none is there.
    const std::string begin =
        fmt::format("{}{}{}-", *variant, variant->empty() ? "" : "-", idx_word(split));
    if (named.bases[0].empty()) named.bases[0] = begin + "images-idx3-ubyte";
    if (named.bases[1].empty()) named.bases[1] = begin + "labels-idx1-ubyte";
    for (std::uint32_t i = 0; i < named.count; ++i) {
      inventory.shards.push_back(
          {.split = split,
           .images = inventory.folder / shard_file_name(named.bases[0], i, named.count),
           .labels = inventory.folder / shard_file_name(named.bases[1], i, named.count),
           .said = {}});
    }
  }
}

}  // namespace

ShardFile describe_shard_file(const fs::path& path) {
  const MappedFile file(path);
  file.expect_sequential();
  const auto table = read_seek_table(path, file.bytes());
  if (!table) {
    throw DataError(path, std::nullopt, "a seekable zstd file", "one without a seek table");
  }
  return {.name = path.filename().string(),
          .bytes = file.bytes().size(),
          .hash = hash_hex(file.bytes()),
          .table = hash_hex(table->encode())};
}

std::vector<fs::path> shards_in(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (parse_shard_name(it->path().filename().string())) found.push_back(it->path());
  }
  if (error) throw io_error(folder, "list the folder", error.value());
  std::ranges::sort(found);
  return found;
}

bool is_sharded(const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    return path.filename() == kManifestName && fs::exists(path, error);
  }
  return has_manifest(path) || (find_idx_files(path).empty() && !shards_in(path).empty());
}

std::optional<IdxHeader> ShardInventory::images_header(const ExpectedShard& shard) const {
  if (!manifest || !shard.said) return std::nullopt;
  IdxHeader header{manifest->dtype, {static_cast<std::uint32_t>(shard.said->samples)}};
  for (const auto dim : manifest->shape) header.dims.push_back(static_cast<std::uint32_t>(dim));
  return header;
}

ShardInventory take_inventory(const fs::path& path) {
  std::error_code error;
  ShardInventory inventory;
  inventory.folder = path;
  if (!fs::is_directory(path, error)) {
    inventory.folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  }
  const auto manifest = inventory.folder / kManifestName;
  if (!fs::exists(fs::symlink_status(manifest, error))) {
    inventory.manifest_fault = "expected a manifest beside the shards, found none";
    if (fs::exists(inventory.folder / kUnfinishedName, error)) {
      inventory.manifest_fault += ": the conversion that wrote them was interrupted";
    }
  } else {
    try {
      inventory.manifest = read_manifest(manifest);
    } catch (const DataError& unreadable) {
      inventory.manifest_fault = message_of(unreadable, manifest);
    }
  }
  if (inventory.manifest) {
    by_manifest(inventory);
  } else {
    by_names(inventory);
    if (inventory.shards.empty()) throw DataError(manifest, inventory.manifest_fault);
  }
  return inventory;
}

}  // namespace millrace
