#include "tools/cli/storage.h"

#include <system_error>

#include "formats/error.h"
#include "formats/idx.h"
#include "formats/idx_names.h"
#include "formats/image_folder.h"
#include "formats/mapped_file.h"
#include "formats/resized_dataset.h"
#include "formats/seek_table.h"
#include "formats/shard_manifest.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

void add(Storage& sum, const Storage& one) {
  sum.files += one.files;
  sum.frames += one.frames;
  sum.stored += one.stored;
  sum.content += one.content;
}

Storage of_shards(const fs::path& manifest_path, const Dataset& data) {
  const auto manifest = read_manifest(manifest_path);
  const auto* split = &manifest.train;
  for (const auto* other : {&manifest.test, &manifest.validation}) {
    // Those of one size are told apart by what took a look at all of it: the hash.
    const bool fits = split->samples == data.size() && split->hash == data.hash();
    if (!fits && *other && (*other)->samples == data.size()) split = &**other;
  }
  Storage sum{.shards = split->shards.size()};
  for (const auto& shard : split->shards) {
    add(sum, storage_of_idx(manifest_path.parent_path() / shard.images.name));
    add(sum, storage_of_idx(manifest_path.parent_path() / shard.labels.name));
  }
  return sum;
}

Storage of_pair(const fs::path& images, const IdxName& name) {
  auto sum = storage_of_idx(images);
  const auto folder = images.has_parent_path() ? images.parent_path() : fs::path(".");
  const auto all = find_idx_files(folder);
  const auto found = all.find(name.variant);
  if (found != all.end() && found->second.has(name.split, IdxRole::kLabels)) {
    add(sum, storage_of_idx(found->second.at(name.split, IdxRole::kLabels)));
  }
  return sum;
}

}  // namespace

double Storage::ratio() const noexcept {
  return stored == 0 ? 0.0 : static_cast<double>(content) / static_cast<double>(stored);
}

Storage storage_of_idx(const fs::path& path) {
  const MappedFile file(path);
  const auto header = read_idx_header(path);
  Storage storage{.files = 1,
                  .stored = file.bytes().size(),
                  .content = header.header_bytes() + idx_data_bytes(header)};
  if (const auto table = read_seek_table(path, file.bytes())) {
    storage.frames = table->frames().size();
  }
  return storage;
}

std::optional<Storage> storage_of(const Dataset& data) {
  if (const auto* stored = stored_of(data)) {
    return storage_of(*stored);  // NOLINT(misc-no-recursion): once
  }
  const fs::path name = data.name();
  if (name.filename() == kManifestName) return of_shards(name, data);
  if (const auto idx = parse_idx_name(name.filename().string())) return of_pair(name, *idx);
  Storage storage{.content = data.size() * data.sample_bytes()};
  std::error_code error;
  if (const auto* images = dynamic_cast<const ImageFolder*>(&data)) {
    for (std::uint64_t i = 0; i < images->size(); ++i) {
      const auto bytes = fs::file_size(images->file(i), error);
      if (error) throw io_error(images->file(i), "read its size", error.value());
      storage.stored += bytes;
    }
    storage.files = images->size();
    return storage;
  }
  if (!fs::is_regular_file(name, error)) return std::nullopt;
  storage.files = 1;
  storage.stored = fs::file_size(name, error);
  return storage;
}

}  // namespace millrace
