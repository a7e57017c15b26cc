#include "tools/cli/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include "formats/atomic_file.h"
#include "formats/idx.h"
#include "formats/seekable_idx.h"
#include "tools/cli/atomic_folder.h"
#include "tools/cli/conversion_marker.h"
#include "tools/cli/convert_files.h"
#include "tools/cli/convert_shards.h"
#include "tools/cli/convert_source.h"
#include "tools/cli/idx_files.h"
#include "tools/cli/target.h"
#include "tools/console/made_folder.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

constexpr int kHighestZstd = 22;
constexpr int kHighestGzip = 12;

/// An IDX file in one of the forms, written piece by piece.
class Writer {
 public:
  Writer(const ConvertSpec& spec, const fs::path& path, const IdxHeader& header) {
    if (spec.to == StoredAs::kSeekable) {
      seekable_.emplace(path, header, seekable_options(spec));
    } else {
      encoded_.emplace(path, header, spec.level);
    }
  }
  void append(std::span<const std::byte> elements) {
    seekable_ ? seekable_->append(elements) : encoded_->append(elements);
  }
  /// After the last append(): all is written and durable, so that little is left for commit() to
  /// fail at.
  void finish() { seekable_ ? seekable_->finish() : encoded_->finish(); }
  /// Returns the number of frames.
  std::uint64_t commit() {
    if (!seekable_) {
      encoded_->commit();
      return 0;
    }
    seekable_->commit();
    return seekable_->table().frames().size();
  }

 private:
  std::optional<IdxWriter> encoded_;
  std::optional<SeekableIdxWriter> seekable_;
};

void check_level(const ConvertSpec& spec) {
  if (!spec.level) return;
  const bool is_zstd = spec.to == StoredAs::kSeekable || spec.to == StoredAs::kTarZst;
  const int highest = is_zstd ? kHighestZstd : spec.to == StoredAs::kGzip ? kHighestGzip : 0;
  if (*spec.level < 1 || *spec.level > highest) {
    throw std::invalid_argument(highest == 0
                                    ? fmt::format("--level: {} has none", name_of(spec.to))
                                    : fmt::format("--level: expected 1 to {} for {}, found {}",
                                                  highest, name_of(spec.to), *spec.level));
  }
}

std::string suffix(StoredAs stored) {
  return stored == StoredAs::kPlain ? std::string() : fmt::format(".{}", name_of(stored));
}

struct Piece {
  ConvertedFile file;
  ConvertSource source;
  std::optional<Writer> writer;
};

}  // namespace

std::string_view name_of(StoredAs stored) noexcept {
  switch (stored) {
    case StoredAs::kPlain:
      return "idx";
    case StoredAs::kGzip:
      return "gz";
    case StoredAs::kSeekable:
      return "zst";
    case StoredAs::kNpy:
      return "npy";
    case StoredAs::kCsv:
      return "csv";
    case StoredAs::kTar:
      return "tar";
    case StoredAs::kTarZst:
      return "tar.zst";
    case StoredAs::kImages:
      return "images";
  }
  return "unknown";
}

std::vector<ConvertedFile> convert(
    const ConvertSpec& asked, const std::function<bool(std::uint64_t, std::uint64_t)>& progress) {
  check_level(asked);
  const ConversionMarker marker(asked.in, asked.out);
  ConvertSpec spec = asked;
  spec.interrupted = marker.interrupted();
  const bool is_idx =
      spec.to == StoredAs::kPlain || spec.to == StoredAs::kGzip || spec.to == StoredAs::kSeekable;
  const bool is_tar = spec.to == StoredAs::kTar || spec.to == StoredAs::kTarZst;
  if (spec.shards > 0 && spec.to != StoredAs::kSeekable && !is_tar) {
    throw std::invalid_argument(
        fmt::format("--shards: expected --to zst, tar or tar.zst, found {}", name_of(spec.to)));
  }
  if (spec.task == Task::kRegression && (is_tar || spec.to == StoredAs::kImages)) {
    throw std::invalid_argument(
        fmt::format("--to: expected idx, gz, zst, npy or csv for targets (--task), found {}, "
                    "which holds classes alone",
                    name_of(spec.to)));
  }
  if (!is_idx) return convert_to_files(spec, convert_parts(spec), progress);
  if (spec.shards > 0) return convert_to_shards(spec, convert_parts(spec), progress);
  const MadeFolder folder(spec.out);  // before the files in it, which go first
  std::vector<Piece> tasks;
  std::uint64_t all = 0;
  for (auto& source : convert_sources(spec)) {
    Piece task;
    task.file.from = source.from;
    // Where the source is a file, it may itself be what stands beside the new one.
    const auto named = source.stored_before > 0 ? source.from : fs::path(source.name);
    task.file.to = target_in(spec.out, named, suffix(spec.to),
                             may_replace(spec, plain_name(named) + suffix(spec.to)));
    task.file.stored_before = source.stored_before;
    task.file.content = source.header.header_bytes() + idx_data_bytes(source.header);
    all += task.file.content;
    task.source = std::move(source);
    tasks.push_back(std::move(task));
  }
  remove_stale_temporaries(spec.out);
  remove_stale_folders(spec.out);

  std::vector<ConvertedFile> written;
  std::uint64_t done = 0;
  for (auto& task : tasks) {
    task.writer.emplace(spec, task.file.to, task.source.header);
    done += task.source.header.header_bytes();
    const bool whole = task.source.read([&](std::span<const std::byte> piece) {
      task.writer->append(piece);
      done += piece.size();
      return progress(done, all);
    });
    if (!whole) return written;
    task.writer->finish();
  }
  std::vector<fs::path> targets;
  std::ranges::transform(tasks, std::back_inserter(targets),
                         [](const Piece& task) { return task.file.to; });
  marker.put(targets);
  for (auto& task : tasks) {
    task.file.frames = task.writer->commit();
    task.file.stored = fs::file_size(task.file.to);
    written.push_back(task.file);
  }
  marker.remove();
  return written;
}

}  // namespace millrace
