#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/dataset.h"
#include "formats/dtype.h"

namespace millrace {

inline constexpr std::string_view kManifestName = "manifest.json";
/// Beside the shards of a conversion that has not ended yet, in place of the manifest.
inline constexpr std::string_view kUnfinishedName = "manifest.unfinished";
/// In a folder in which the files of a conversion to any other form have not all appeared yet.
inline constexpr std::string_view kConversionName = "conversion.unfinished";

/// One file of a sharded set, a seekable .zst of an IDX file.
struct ShardFile {
  std::string name;         ///< beside the manifest, without a folder
  std::uint64_t bytes = 0;  ///< of the file
  std::string hash;         ///< hash_hex of the file, as `xxhsum -H2` prints it
  std::string table;        ///< hash_hex of its seek table, which names the checksum of each frame
  bool operator==(const ShardFile&) const = default;
};

/// Consecutive samples of a set: a pair of IDX files that belong together.
struct Shard {
  std::uint64_t samples = 0;
  ShardFile images;
  ShardFile labels;
  bool operator==(const Shard&) const = default;
};

struct ShardedSplit {
  std::uint64_t samples = 0;
  std::string hash;  ///< Dataset::hash() of all of it
  std::vector<Shard> shards;
  bool operator==(const ShardedSplit&) const = default;
};

/// What manifest.json says of a data set that is stored in shards. It is written last: where it is,
/// all shards are.
struct ShardManifest {
  DType dtype = DType::kUInt8;
  std::vector<std::uint64_t> shape;           ///< of a sample
  std::uint32_t classes = 0;                  ///< 0 where labels are targets
  std::uint32_t targets = 0;                  ///< of a sample; 0 where labels are classes
  std::vector<std::string> class_names = {};  ///< by label; empty: they have none
  ShardedSplit train = {};
  std::optional<ShardedSplit> test = {};
  std::optional<ShardedSplit> validation = {};

  Task task() const noexcept { return targets == 0 ? Task::kClassification : Task::kRegression; }
  bool operator==(const ShardManifest&) const = default;
};

/// Whether `folder` has a file of that name that says of itself, near its beginning, that it is a
/// manifest of shards: other programs write files of that name too. Throws DataError if the file
/// cannot be read.
bool has_manifest(const std::filesystem::path& folder);

/// JSON of several lines.
std::string render_manifest(const ShardManifest& manifest);

/// The other way. `path` is for messages. Throws DataError for anything else: no JSON, a name twice
/// or missing, counts that do not add up, a file's name that leads out of the folder or is there
/// twice, an element type that IDX lacks, a shape or a number of classes or targets that no IDX
/// pair has.
ShardManifest parse_manifest(const std::filesystem::path& path, std::string_view text);

/// One shard as one line of JSON, without its end, and the other way. Throws as parse_manifest
/// does.
std::string render_shard(const Shard& shard);
Shard parse_shard(const std::filesystem::path& path, std::string_view text);

/// Reads it from a file. Throws DataError, also where that is larger than a manifest of
/// kMostShards.
ShardManifest read_manifest(const std::filesystem::path& path);

/// Writes kManifestName into `folder`, whole or not at all. Throws DataError.
void write_manifest(const std::filesystem::path& folder, const ShardManifest& manifest);

}  // namespace millrace
