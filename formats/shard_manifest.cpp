#include "formats/shard_manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <system_error>

#include "formats/atomic_file.h"
#include "formats/error.h"
#include "formats/idx_pair.h"
#include "formats/json_text.h"
#include "formats/mapped_file.h"
#include "formats/shard_names.h"
#include "formats/targets.h"
#include "formats/text.h"

namespace millrace {
namespace {

using nlohmann::json;

constexpr std::string_view kFormat = "millrace shards";
constexpr int kVersion = 1;
// Sets with shards with files in the whole.
constexpr JsonForm kForm{"a manifest in JSON", 0, 6};
constexpr std::size_t kMostText = std::size_t{256} << 20;
constexpr std::size_t kMostRank = 254;  // IDX has 255, the first of which is the samples'
constexpr std::size_t kHashDigits = 32;
constexpr std::array kTypes{DType::kUInt8, DType::kInt8,    DType::kInt16,
                            DType::kInt32, DType::kFloat32, DType::kFloat64};

class Parser {
 public:
  explicit Parser(const std::filesystem::path& path) : path_(path) {}

  ShardManifest parse(const json& root) {
    if (!root.is_object() || !root.contains("format") || root["format"] != std::string(kFormat)) {
      fail("", fmt::format(R"(a manifest of shards, "format": "{}")", kFormat),
           root.is_object() ? "another \"format\" or none" : root.type_name());
    }
    if (const auto& version = field(root, "", "version"); version != kVersion) {
      fail("version", std::to_string(kVersion), brief(version));
    }
    ShardManifest manifest;
    const auto& type = text(root, "", "dtype");
    const auto* const known =
        std::ranges::find_if(kTypes, [&](DType candidate) { return name_of(candidate) == type; });
    if (known == kTypes.end()) fail("dtype", "an element type of IDX", brief(type));
    manifest.dtype = *known;
    for (const auto& dim : list(root, "", "shape")) {
      manifest.shape.push_back(whole(dim, "shape", 1, std::numeric_limits<std::uint32_t>::max()));
    }
    if (manifest.shape.empty() || manifest.shape.size() > kMostRank) {
      fail("shape", fmt::format("1 to {} sizes", kMostRank), std::to_string(manifest.shape.size()));
    }
    std::uint64_t bytes = size_of(manifest.dtype);
    for (const auto dim : manifest.shape) {
      bytes *= dim;
      if (bytes > kMostSampleBytes) {
        fail("shape", fmt::format("samples of at most {} bytes", kMostSampleBytes), "larger ones");
      }
    }
    if (root.contains("targets")) {
      if (root.contains("classes")) fail("targets", "classes or targets", "both");
      manifest.targets =
          static_cast<std::uint32_t>(whole(root["targets"], "targets", 1, kMostTargets));
    } else {
      manifest.classes = static_cast<std::uint32_t>(
          whole(field(root, "", "classes"), "classes", 1, kMostIdxClasses));
    }
    if (root.contains("class_names")) {
      for (const auto& name : list(root, "", "class_names")) {
        if (!name.is_string()) fail("class_names", "names", brief(name));
        manifest.class_names.push_back(name.get<std::string>());
      }
      if (manifest.class_names.size() != manifest.classes) {
        fail("class_names", fmt::format("{} names, one for each class", manifest.classes),
             std::to_string(manifest.class_names.size()));
      }
    }
    manifest.train = split(field(root, "", "train"), "train");
    if (root.contains("test")) manifest.test = split(root["test"], "test");
    if (root.contains("validation")) manifest.validation = split(root["validation"], "validation");
    return manifest;
  }

  Shard shard(const json& object, const std::string& where) {
    Shard shard;
    shard.samples = whole(field(object, where, "samples"), join(where, "samples"), 1,
                          std::numeric_limits<std::uint32_t>::max());
    shard.images = file(field(object, where, "images"), join(where, "images"));
    shard.labels = file(field(object, where, "labels"), join(where, "labels"));
    return shard;
  }

 private:
  // The reference implementation's limit for a frame, which holds whole samples.
  static constexpr std::uint64_t kMostSampleBytes = 0x40000000;

  [[noreturn]] void fail(const std::string& where, std::string_view expected,
                         std::string_view found) const {
    throw DataError(path_, std::nullopt,
                    where.empty() ? std::string(expected) : fmt::format("{}: {}", where, expected),
                    found);
  }

  static std::string join(const std::string& where, std::string_view name) {
    return where.empty() ? std::string(name) : fmt::format("{}.{}", where, name);
  }

  const json& field(const json& object, const std::string& where, const char* name) const {
    if (!object.is_object()) fail(where, "an object", object.type_name());
    const auto found = object.find(name);
    if (found == object.end()) fail(join(where, name), "a value", "none");
    return *found;
  }

  const std::string& text(const json& object, const std::string& where, const char* name) const {
    const auto& value = field(object, where, name);
    if (!value.is_string()) fail(join(where, name), "a string", brief(value));
    return value.get_ref<const std::string&>();
  }

  const json& list(const json& object, const std::string& where, const char* name) const {
    const auto& value = field(object, where, name);
    if (!value.is_array()) fail(join(where, name), "a list", brief(value));
    return value;
  }

  std::uint64_t whole(const json& value, const std::string& where, std::uint64_t least,
                      std::uint64_t most) const {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() < least ||
        value.get<std::uint64_t>() > most) {
      fail(where, fmt::format("a whole number from {} to {}", least, most), brief(value));
    }
    return value.get<std::uint64_t>();
  }

  std::string hash(const json& object, const std::string& where, const char* name) const {
    const auto& digits = text(object, where, name);
    const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    if (digits.size() != kHashDigits || !std::ranges::all_of(digits, is_digit)) {
      fail(join(where, name), fmt::format("{} hex digits", kHashDigits), brief(digits));
    }
    return digits;
  }

  ShardFile file(const json& object, const std::string& where) {
    ShardFile file;
    file.name = text(object, where, "file");
    if (!is_plain_name(file.name)) {
      fail(join(where, "file"), "the name of a file beside the manifest", brief(json(file.name)));
    }
    if (!names_.insert(file.name).second) {
      fail(join(where, "file"), "each file once", fmt::format("{} twice", brief(json(file.name))));
    }
    file.bytes = whole(field(object, where, "bytes"), join(where, "bytes"), 1,
                       std::numeric_limits<std::int64_t>::max());
    file.hash = hash(object, where, "xxh128");
    file.table = hash(object, where, "seek_table_xxh128");
    return file;
  }

  static bool is_plain_name(const std::string& name) {
    return !name.empty() && name != "." && name != ".." &&
           name.find_first_of(std::string("/\0", 2)) == std::string::npos;
  }

  ShardedSplit split(const json& object, const std::string& where) {
    ShardedSplit split;
    constexpr std::uint64_t kMostSamples = std::uint64_t{1} << 62U;
    split.samples = whole(field(object, where, "samples"), join(where, "samples"), 1, kMostSamples);
    split.hash = hash(object, where, "hash");
    const auto& shards = list(object, where, "shards");
    if (shards.empty() || shards.size() > kMostShards) {
      fail(join(where, "shards"), fmt::format("1 to {} shards", kMostShards),
           std::to_string(shards.size()));
    }
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < shards.size(); ++i) {
      split.shards.push_back(shard(shards[i], fmt::format("{}.shards[{}]", where, i)));
      sum += split.shards.back().samples;
    }
    if (sum != split.samples) {
      fail(join(where, "samples"), fmt::format("{}, the sum of its shards", sum),
           std::to_string(split.samples));
    }
    return split;
  }

  const std::filesystem::path& path_;
  std::set<std::string> names_;
};

nlohmann::ordered_json to_json(const ShardFile& file) {
  return {{"file", file.name},
          {"bytes", file.bytes},
          {"xxh128", file.hash},
          {"seek_table_xxh128", file.table}};
}

nlohmann::ordered_json to_json(const Shard& shard) {
  return {{"samples", shard.samples},
          {"images", to_json(shard.images)},
          {"labels", to_json(shard.labels)}};
}

nlohmann::ordered_json to_json(const ShardedSplit& split) {
  nlohmann::ordered_json all;
  all["samples"] = split.samples;
  all["hash"] = split.hash;
  all["shards"] = nlohmann::ordered_json::array();
  for (const auto& shard : split.shards) all["shards"].push_back(to_json(shard));
  return all;
}

}  // namespace

std::string render_manifest(const ShardManifest& manifest) {
  nlohmann::ordered_json root;
  root["format"] = kFormat;
  root["version"] = kVersion;
  root["dtype"] = name_of(manifest.dtype);
  root["shape"] = manifest.shape;
  if (manifest.targets == 0) {
    root["classes"] = manifest.classes;
  } else {
    root["targets"] = manifest.targets;
  }
  if (!manifest.class_names.empty()) root["class_names"] = manifest.class_names;
  root["train"] = to_json(manifest.train);
  if (manifest.test) root["test"] = to_json(*manifest.test);
  if (manifest.validation) root["validation"] = to_json(*manifest.validation);
  return root.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

ShardManifest parse_manifest(const std::filesystem::path& path, std::string_view text) {
  return Parser(path).parse(parse_json(path, text, kForm));
}

std::string render_shard(const Shard& shard) { return json_line(to_json(shard)); }

Shard parse_shard(const std::filesystem::path& path, std::string_view text) {
  return Parser(path).shard(parse_json(path, text, kForm), "");
}

bool has_manifest(const std::filesystem::path& folder) {
  constexpr std::size_t kLooked = 4096;
  const auto path = folder / kManifestName;
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return false;
  const MappedFile file(path);
  const auto head = text_of(file.bytes()).substr(0, kLooked);
  return head.find(kFormat) != std::string_view::npos;
}

ShardManifest read_manifest(const std::filesystem::path& path) {
  const MappedFile file(path);
  const auto bytes = file.bytes();
  if (bytes.size() > kMostText) {
    throw DataError(path, std::nullopt, fmt::format("a manifest of at most {} bytes", kMostText),
                    fmt::format("{}", bytes.size()));
  }
  return parse_manifest(path, text_of(bytes));
}

void write_manifest(const std::filesystem::path& folder, const ShardManifest& manifest) {
  AtomicFile file(folder / kManifestName);
  file.write(render_manifest(manifest));
  file.commit();
}

}  // namespace millrace
