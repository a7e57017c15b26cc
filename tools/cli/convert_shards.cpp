#include "tools/cli/convert_shards.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

#include "formats/atomic_file.h"
#include "formats/error.h"
#include "formats/hash.h"
#include "formats/idx_pair.h"
#include "formats/mapped_file.h"
#include "formats/seekable_dataset.h"
#include "formats/seekable_idx.h"
#include "formats/shard_manifest.h"
#include "formats/shard_names.h"
#include "tools/cli/piece_reader.h"
#include "tools/cli/shard_files.h"
#include "tools/cli/shard_journal.h"
#include "tools/cli/target.h"
#include "tools/console/made_folder.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

bool is_whole(const fs::path& folder, const ShardFile& file) {
  const auto path = folder / file.name;
  std::error_code error;
  if (!fs::is_regular_file(fs::symlink_status(path, error))) return false;
  try {
    return describe_shard_file(path) == file;
  } catch (const DataError&) {
    return false;  // it is written anew
  }
}

/// What all shards' content depends on, as one word.
std::string job_of(const ConvertSpec& spec, const std::vector<ConvertPart>& parts) {
  std::string job = fmt::format("{} shards, level {}\n", spec.shards, seekable_options(spec).level);
  if (spec.split) {
    job += fmt::format("split {} {} seed {}\n", spec.split->train, spec.split->test, spec.seed);
  }
  if (spec.image.resize) {
    job += fmt::format("resize {}x{}\n", spec.image.resize->width, spec.image.resize->height);
  }
  job += fmt::format("labels {}\n", spec.label_column);
  for (const auto& name : spec.table.one_hot) job += fmt::format("one-hot {}\n", name);
  for (const auto& name : spec.table.dropped) job += fmt::format("dropped {}\n", name);
  if (spec.table.fill_missing) job += "fill\n";
  job += fmt::format("channels {}\n", static_cast<int>(spec.image.channels));
  for (const auto& part : parts) {
    job += fmt::format("{} {} {}\n", idx_word(part.split), part.images_header().describe(),
                       part.data->classes());
    if (part.data->targets() > 0) job += fmt::format("{} targets\n", part.data->targets());
  }
  job += input_fingerprint(spec.in, spec.out);
  return hash_hex(std::as_bytes(std::span(job)));
}

/// The conversion of one part.
class PartWriter {
 public:
  PartWriter(const ConvertSpec& spec, const ConvertPart& part, ShardJournal& journal)
      : spec_(spec),
        part_(part),
        journal_(journal),
        count_(spec.shards),
        hasher_(begin_dataset_hash(*part.data)),
        reader_(part.data, spec.jobs) {}

  /// False: stopped. `done` takes bytes of samples.
  bool write(const std::function<bool(std::uint64_t)>& done, std::vector<ConvertedFile>& files) {
    const auto size = part_.data->size();
    for (std::uint32_t i = 0; i < count_; ++i) {
      const auto first = size * i / count_;
      const auto samples = size * (i + 1) / count_ - first;
      const auto* entered = journal_.find(idx_word(part_.split), i);
      const bool kept = entered != nullptr && entered->samples == samples &&
                        is_whole(spec_.out, entered->images) &&
                        is_whole(spec_.out, entered->labels);
      std::optional<Shard> shard;
      if (kept) {
        shard = *entered;
        if (!take_kept(*shard, done)) return false;
      } else {
        shard = write_shard(i, first, samples, done);
        if (!shard) return false;
        journal_.add(idx_word(part_.split), i, *shard);
      }
      note(*shard, kept, files);
      split_.shards.push_back(std::move(*shard));
    }
    split_.samples = size;
    hasher_.update(std::span<const std::int32_t>(labels_));
    split_.hash = hasher_.hex();
    return true;
  }

  ShardedSplit take_split() { return std::move(split_); }

 private:
  fs::path file(const IdxHeader& header, std::string_view role, std::uint32_t index) const {
    return spec_.out / shard_file_name(part_.file_name(role, header), index, count_);
  }

  IdxHeader images_header(std::uint64_t samples) const {
    auto header = part_.images_header();
    header.dims[0] = static_cast<std::uint32_t>(samples);
    return header;
  }

  bool take(std::span<const std::byte> samples, std::span<const std::int32_t> labels) {
    hasher_.update(samples);
    labels_.insert(labels_.end(), labels.begin(), labels.end());
    return true;
  }

  bool take_kept(const Shard& shard, const std::function<bool(std::uint64_t)>& done) {
    const auto data = std::make_shared<const SeekableDataset>(
        spec_.out / shard.images.name, read_idx(spec_.out / shard.labels.name),
        part_.data->classes(), part_.data->task());
    return PieceReader(data, spec_.jobs).read(0, data->size(), [&](auto samples, auto labels) {
      take(samples, labels);
      return done(samples.size());
    });
  }

  std::optional<Shard> write_shard(std::uint32_t index, std::uint64_t first, std::uint64_t samples,
                                   const std::function<bool(std::uint64_t)>& done) {
    const auto options = seekable_options(spec_);
    const auto header = images_header(samples);
    const auto labels_header = part_.labels_header(samples);
    const auto images_path = file(header, "images", index);
    const auto labels_path = file(labels_header, "labels", index);
    SeekableIdxWriter images(images_path, header, options);
    SeekableIdxWriter labels(labels_path, labels_header, options);
    const bool whole = reader_.read(first, samples, [&](auto pixels, auto classes) {
      images.append(pixels);
      labels.append(part_.encode_labels(classes));
      take(pixels, classes);
      return done(pixels.size());
    });
    if (!whole) return std::nullopt;
    images.commit();
    labels.commit();
    return Shard{.samples = samples,
                 .images = describe_shard_file(images_path),
                 .labels = describe_shard_file(labels_path)};
  }

  void note(const Shard& shard, bool kept, std::vector<ConvertedFile>& files) const {
    const auto header = images_header(shard.samples);
    const auto frames = [&](const ShardFile& file) {
      const auto path = spec_.out / file.name;
      return read_seek_table(path, MappedFile(path).bytes())->frames().size();
    };
    const auto labels = part_.labels_header(shard.samples);
    const std::array<std::pair<const ShardFile*, const IdxHeader*>, 2> both{
        {{&shard.images, &header}, {&shard.labels, &labels}}};
    for (const auto& [file, content] : both) {
      files.push_back({.from = part_.data->name(),
                       .to = spec_.out / file->name,
                       .stored_before = 0,
                       .content = content->header_bytes() + idx_data_bytes(*content),
                       .stored = file->bytes,
                       .frames = frames(*file),
                       .kept = kept});
    }
  }

  const ConvertSpec& spec_;
  const ConvertPart& part_;
  ShardJournal& journal_;
  std::uint32_t count_;
  Hasher hasher_;
  PieceReader reader_;
  std::vector<std::int32_t> labels_;
  ShardedSplit split_;
};

/// Makes the folder ready and opens its journal: from then on nobody else writes shards there.
ShardJournal make_room(const ConvertSpec& spec, const std::vector<ConvertPart>& parts) {
  std::error_code error;
  if (!find_idx_files(spec.out).empty()) {
    throw DataError(
        spec.out,
        fmt::format("has IDX files, which {} would hide; choose another folder", kManifestName));
  }
  const auto manifest = spec.out / kManifestName;
  const auto older = shards_in(spec.out);
  const bool interrupted = fs::exists(spec.out / kUnfinishedName, error);
  if (!spec.force && !interrupted) {
    if (fs::exists(fs::symlink_status(manifest))) {
      throw DataError(manifest, "is there already; --force replaces it");
    }
    if (!older.empty()) throw DataError(older[0], "is there already; --force replaces it");
  }
  ShardJournal journal(spec.out, job_of(spec, parts), spec.force);
  remove_stale_temporaries(spec.out);
  if (spec.force) {
    // The manifest first: without it nobody takes what is left for a whole set.
    if (fs::exists(fs::symlink_status(manifest))) fs::remove(manifest);
    for (const auto& shard : older) fs::remove(shard);
  }
  return journal;
}

void check_is_elsewhere(const ConvertSpec& spec) {
  std::error_code error;
  const auto folder = fs::is_directory(spec.in, error) ? spec.in : spec.in.parent_path();
  const bool sharded = fs::exists(folder / kManifestName, error);
  if (sharded && fs::equivalent(folder.empty() ? "." : folder, spec.out, error)) {
    throw DataError(spec.out, "is what is to be converted; choose another folder");
  }
}

}  // namespace

std::string input_fingerprint(const fs::path& in, const fs::path& out) {
  std::error_code error;
  std::vector<fs::path> files;
  const auto skipped = fs::weakly_canonical(out, error);
  if (fs::is_directory(in)) {
    constexpr auto kFollow = fs::directory_options::follow_directory_symlink;
    for (fs::recursive_directory_iterator it(in, kFollow), end; it != end; ++it) {
      if (it->is_directory(error)) {
        if (fs::weakly_canonical(it->path(), error) == skipped) it.disable_recursion_pending();
      } else if (fs::weakly_canonical(it->path().parent_path(), error) != skipped ||
                 parse_idx_name(it->path().filename().string())) {
        files.push_back(it->path());
      }
    }
  } else {
    files.push_back(in);
    const auto folder = in.has_parent_path() ? in.parent_path() : fs::path(".");
    for (const auto& entry : fs::directory_iterator(folder)) {  // of a pair, the other file
      if (parse_idx_name(entry.path().filename().string())) files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  auto text = fs::weakly_canonical(in, error).string() + '\n';
  for (const auto& file : files) {
    const auto size = fs::file_size(file, error);
    const auto time = fs::last_write_time(file, error).time_since_epoch().count();
    text += fmt::format("{}\n{} {}\n", file.string(), size, time);
  }
  return hash_hex(std::as_bytes(std::span(text)));
}

std::vector<ConvertedFile> convert_to_shards(
    const ConvertSpec& spec, const std::vector<ConvertPart>& parts,
    const std::function<bool(std::uint64_t, std::uint64_t)>& progress) {
  check_is_elsewhere(spec);
  std::uint64_t all = 0;
  for (const auto& part : parts) all += idx_data_bytes(part.images_header());
  const MadeFolder folder(spec.out);
  auto journal = make_room(spec, parts);
  std::uint64_t done = 0;
  const auto advance = [&](std::uint64_t bytes) { return progress(done += bytes, all); };
  std::vector<ConvertedFile> files;
  const auto& train = *parts.at(0).data;
  ShardManifest manifest{.dtype = train.dtype(),
                         .shape = train.shape().dims,
                         .classes = train.classes(),
                         .targets = train.targets(),
                         .class_names = parts[0].class_names};
  for (const auto& part : parts) {
    PartWriter writer(spec, part, journal);
    if (!writer.write(advance, files)) return {};
    if (part.split == DataSplit::kTrain) {
      manifest.train = writer.take_split();
    } else {
      (part.split == DataSplit::kTest ? manifest.test : manifest.validation) = writer.take_split();
    }
  }
  write_manifest(spec.out, manifest);
  journal.remove();
  return files;
}

}  // namespace millrace
