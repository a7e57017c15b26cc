#include "tools/cli/verify_shards.h"

#include <fmt/format.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <iterator>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>

#include "formats/class_sizes.h"
#include "formats/error.h"
#include "formats/folder.h"
#include "formats/hash.h"
#include "formats/idx_salvage.h"
#include "formats/mapped_file.h"
#include "tools/cli/shard_files.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

/// What is wrong with a file by the manifest's numbers, without a look inside.
std::vector<IdxFault> manifest_faults(const fs::path& path, const ShardFile& said) {
  std::vector<IdxFault> faults;
  const MappedFile file(path);
  const auto bytes = file.bytes();
  if (bytes.size() != said.bytes) {
    faults.push_back({.what = fmt::format("expected {} bytes, as {} says, found {}", said.bytes,
                                          kManifestName, bytes.size()),
                      .samples = {}});
  } else if (const auto hash = hash_hex(bytes); hash != said.hash) {
    faults.push_back({.what = fmt::format("expected a file of hash {}, as {} says, found {}",
                                          said.hash, kManifestName, hash),
                      .samples = {}});
  }
  return faults;
}

class ShardVerifier {
 public:
  ShardVerifier(const ShardInventory& inventory, const ExpectedShard& shard)
      : inventory_(inventory), shard_(shard) {}

  /// What the two files are like, images first. `sizes`: samples of each class.
  std::pair<VerifiedFile, VerifiedFile> verify(const LabelKind& known,
                                               std::vector<std::uint64_t>& sizes) const {
    const auto header = inventory_.images_header(shard_);
    std::optional<IdxHeader> labels_header;
    auto [images, images_file] = look_at(shard_.images, header);
    auto [labels, labels_file] = look_at(shard_.labels, labels_header);
    if (labels) {
      auto check = check_labels(*labels, known);
      std::ranges::move(check.faults, std::back_inserter(labels_file.faults));
      sizes = std::move(check.sizes);
    }
    if (images && labels && images->header() && labels->header() &&
        images->samples() != labels->samples()) {
      labels_file.faults.push_back(
          {.what = fmt::format("byte 4: expected {} labels, one for each image in {}, found {}",
                               images->samples(), shard_.images.string(), labels->samples()),
           .samples = {}});
    }
    return {std::move(images_file), std::move(labels_file)};
  }

 private:
  std::pair<std::optional<SalvagedIdx>, VerifiedFile> look_at(
      const fs::path& path, const std::optional<IdxHeader>& header) const {
    VerifiedFile file{.path = path, .form = "missing", .faults = {}};
    std::error_code error;
    if (!fs::exists(path, error)) {
      const auto samples = shard_.said ? shard_.said->samples : 0;
      file.faults.push_back(
          {.what = "expected a shard, found no such file", .samples = {0, samples}});
      return {std::nullopt, std::move(file)};
    }
    if (shard_.said) {
      file.faults =
          manifest_faults(path, path == shard_.images ? shard_.said->images : shard_.said->labels);
    }
    SalvagedIdx salvaged(path, header);
    file.form = salvaged.form();
    file.samples = salvaged.samples();
    file.frames = salvaged.frames();
    std::ranges::copy(salvaged.faults(), std::back_inserter(file.faults));
    if (shard_.said && path == shard_.labels && salvaged.header() &&
        salvaged.samples() != shard_.said->samples) {
      file.faults.push_back(
          {.what = fmt::format("byte 4: expected {} labels, as {} says, found {}",
                               shard_.said->samples, kManifestName, salvaged.samples()),
           .samples = {}});
    }
    return {std::move(salvaged), std::move(file)};
  }

  const ShardInventory& inventory_;
  const ExpectedShard& shard_;
};

/// Of a set with a manifest, all of whose files are sound.
void compare_set_hashes(const ShardInventory& inventory, std::vector<IdxFault>& faults) {
  try {
    const auto opened =
        open_folder(inventory.folder, {.task = inventory.manifest->task(), .own_validation = true});
    const auto compare = [&](const Dataset& data, const ShardedSplit& split,
                             std::string_view name) {
      if (const auto found = data.hash(); found != split.hash) {
        faults.push_back(
            {.what = fmt::format("{}.hash: expected {}, as its shards have it, found {}", name,
                                 found, split.hash),
             .samples = {}});
      }
    };
    const auto& manifest = *inventory.manifest;
    compare(*opened.train, manifest.train, "train");
    if (manifest.test) compare(*opened.test, *manifest.test, "test");
    if (manifest.validation) {
      compare(manifest.test ? *opened.validation : *opened.test, *manifest.validation,
              "validation");
    }
  } catch (const DataError& error) {
    faults.push_back({.what = error.what(), .samples = {}});
  }
}

}  // namespace

LabelKind label_kind_of(const ShardInventory& inventory, Task task) {
  if (!inventory.manifest) return {.task = task};
  const auto& manifest = *inventory.manifest;
  const bool labels = task == Task::kMultilabel && manifest.targets != 0;
  return {.task = labels ? task : manifest.task(),
          .classes = manifest.classes,
          .targets = manifest.targets};
}

Verification verify_shards(const fs::path& path, Task task, const FileProgress& progress) {
  const auto inventory = take_inventory(path);
  const auto& shards = inventory.shards;
  Verification result;
  result.files.resize(1 + 2 * shards.size());
  auto& manifest = result.files[0];
  manifest = {.path = inventory.folder / kManifestName, .form = "manifest", .faults = {}};
  if (inventory.manifest) {
    manifest.samples = inventory.manifest->train.samples;
    for (const auto* other : {&inventory.manifest->test, &inventory.manifest->validation}) {
      if (*other) manifest.samples += (*other)->samples;
    }
  } else {
    manifest.faults.push_back({.what = inventory.manifest_fault, .samples = {}});
  }
  const auto known = label_kind_of(inventory, task);
  std::vector<std::uint64_t> sizes(known.classes);  // of the training set's classes
  std::mutex mutex;
  std::size_t done = 0;
  bool stopped = false;
  tbb::parallel_for(std::size_t{0}, shards.size(), [&](std::size_t i) {
    {
      const std::scoped_lock lock(mutex);
      if (stopped) return;
    }
    std::vector<std::uint64_t> own;
    auto both = ShardVerifier(inventory, shards[i]).verify(known, own);
    const std::scoped_lock lock(mutex);
    if (shards[i].split == DataSplit::kTrain) {
      sizes.resize(std::max(sizes.size(), own.size()));
      for (std::size_t c = 0; c < own.size(); ++c) sizes[c] += own[c];
    }
    result.files[1 + 2 * i] = std::move(both.first);
    result.files[2 + 2 * i] = std::move(both.second);
    done += 2;
    if (!stopped && !progress(done, 2 * shards.size())) stopped = true;
  });
  if (stopped || result.faults() > 0) return result;
  if (auto note = empty_classes_text(sizes); !note.empty()) {
    manifest.notes.push_back(std::move(note));
  }
  compare_set_hashes(inventory, manifest.faults);
  return result;
}

}  // namespace millrace
