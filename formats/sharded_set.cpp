#include "formats/sharded_set.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "formats/array_dataset.h"
#include "formats/bytes.h"
#include "formats/error.h"
#include "formats/hash.h"
#include "formats/idx.h"
#include "formats/mapped_file.h"
#include "formats/on_all_cores.h"
#include "formats/seek_table.h"
#include "formats/seekable_dataset.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

void check_file(const fs::path& path, const ShardFile& file, bool whole) {
  std::error_code error;
  if (!fs::exists(fs::status(path, error))) {
    throw DataError(path, std::nullopt, fmt::format("a shard, as {} says", kManifestName),
                    "no such file");
  }
  const MappedFile mapped(path);
  const auto bytes = mapped.bytes();
  if (bytes.size() != file.bytes) {
    throw DataError(path, std::nullopt,
                    fmt::format("{} bytes, as {} says", file.bytes, kManifestName),
                    fmt::format("{}", bytes.size()));
  }
  std::string_view what = "the seek table";
  std::string found;
  const auto& expected = whole ? file.hash : file.table;
  if (whole) {
    what = "a file";
    found = hash_hex(bytes);
  } else if (const auto table = read_seek_table(path, bytes)) {
    found = hash_hex(table->encode());
  } else {
    found = "none";
  }
  if (found != expected) {
    throw DataError(path, std::nullopt,
                    fmt::format("{} of hash {}, as {} says", what, expected, kManifestName), found);
  }
}

/// The labels of a shard, and a check that both of its files are what the manifest says.
IdxArray check_shard(const fs::path& folder, const ShardManifest& manifest, const Shard& shard,
                     bool whole) {
  const auto images = folder / shard.images.name;
  const auto labels = folder / shard.labels.name;
  check_file(images, shard.images, whole);
  check_file(labels, shard.labels, true);
  IdxHeader expected{.dtype = manifest.dtype, .dims = {static_cast<std::uint32_t>(shard.samples)}};
  for (const auto dim : manifest.shape) expected.dims.push_back(static_cast<std::uint32_t>(dim));
  if (const auto header = read_idx_header(images); header != expected) {
    throw DataError(images, header.dtype == expected.dtype ? 4 : 2,
                    fmt::format("{}, as {} says", expected.describe(), kManifestName),
                    header.describe());
  }
  return read_idx(labels);
}

std::shared_ptr<const Dataset> decode_all(const SeekableDataset& data) {
  const auto bytes = static_cast<std::size_t>(data.sample_bytes());
  const auto decoded =
      std::make_shared<Bytes>(Bytes::allocate(static_cast<std::size_t>(data.size()) * bytes));
  const auto out = decoded->writable();
  on_all_cores(data.blocks().size(), data.blocks().size(), [&] {
    return [&](std::size_t i) {
      const auto& block = data.blocks()[i];
      data.decode_block(i, out.subspan(static_cast<std::size_t>(block.first) * bytes,
                                       static_cast<std::size_t>(block.count) * bytes));
    };
  });
  Array samples{.name = data.name(),
                .dtype = data.dtype(),
                .dims = {data.size()},
                .owner = decoded,
                .data = decoded->view()};
  const auto& shape = data.shape().dims;
  samples.dims.insert(samples.dims.end(), shape.begin(), shape.end());
  Labels labels{.values = {data.labels().begin(), data.labels().end()},
                .classes = data.classes(),
                .targets = data.targets()};
  return std::make_shared<const ArrayDataset>(std::move(samples), std::move(labels),
                                              data.class_names());
}

}  // namespace

std::shared_ptr<const Dataset> open_sharded(const fs::path& folder, const ShardManifest& manifest,
                                            const ShardedSplit& split, std::uint64_t most_decoded) {
  std::uint64_t sample_bytes = size_of(manifest.dtype);
  for (const auto dim : manifest.shape) sample_bytes *= dim;
  const bool decode = split.samples <= most_decoded / sample_bytes;
  std::vector<std::optional<IdxArray>> labels(split.shards.size());
  on_all_cores(labels.size(), labels.size(), [&] {
    return
        [&](std::size_t i) { labels[i] = check_shard(folder, manifest, split.shards[i], decode); };
  });
  std::vector<SeekableDataset::Pair> pairs;
  pairs.reserve(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    pairs.push_back(
        {.images = folder / split.shards[i].images.name, .labels = std::move(*labels[i])});
  }
  auto data = std::make_shared<const SeekableDataset>((folder / kManifestName).string(), pairs,
                                                      manifest.classes, manifest.class_names,
                                                      manifest.task());
  if (data->targets() != manifest.targets) {
    throw DataError(
        folder / split.shards[0].labels.name, std::nullopt,
        fmt::format("{} targets of a sample, as {} says", manifest.targets, kManifestName),
        fmt::format("{}", data->targets()));
  }
  return decode ? decode_all(*data) : data;
}

}  // namespace millrace
