#include "train/checkpoint_dir.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include "formats/atomic_file.h"
#include "formats/error.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kLast = "last.safetensors";
constexpr std::string_view kBest = "best.safetensors";
constexpr std::string_view kStepPrefix = "step-";
constexpr std::string_view kSuffix = ".safetensors";

struct Entry {
  fs::path path;
  fs::file_time_type written;
  std::uint64_t step = 0;  // of step-N files
  int rank = 0;            // among files of one time: best 0, step-N 1, last 2
};

std::optional<std::uint64_t> step_of(std::string_view name) {
  if (!name.starts_with(kStepPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
  name.remove_prefix(kStepPrefix.size());
  name.remove_suffix(kSuffix.size());
  std::uint64_t step = 0;
  const auto [end, code] = std::from_chars(name.data(), name.data() + name.size(), step);
  if (code != std::errc{} || end != name.data() + name.size()) return std::nullopt;
  return step;
}

std::optional<Entry> classify(const fs::path& path) {
  const std::string name = path.filename().string();
  Entry entry{path, {}, 0, 0};
  if (name == kLast) {
    entry.rank = 2;
  } else if (const auto step = step_of(name)) {
    entry.rank = 1;
    entry.step = *step;
  } else if (name != kBest) {
    return std::nullopt;
  }
  return entry;
}

// Newest first. Age is the time of writing and not the step: a folder may hold a longer run's files
// from before. A clock tick may cover several files; then the one that is further on is the newer.
std::vector<Entry> checkpoints_in(const fs::path& folder) {
  std::vector<Entry> entries;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    auto entry = classify(it->path());
    if (!entry) continue;
    entry->written = fs::last_write_time(it->path(), error);
    // Gone since it was listed: its run keeps the newest alone.
    if (error == std::errc::no_such_file_or_directory) {
      error.clear();
      continue;
    }
    if (error) break;
    entries.push_back(std::move(*entry));
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    throw io_error(folder, "list the folder", error.value());
  }
  std::ranges::sort(entries, [](const Entry& a, const Entry& b) {
    return std::tie(a.written, a.rank, a.step) > std::tie(b.written, b.rank, b.step);
  });
  return entries;
}

void remove_old(const fs::path& path) {
  std::error_code error;
  fs::remove(path, error);
  if (error) throw io_error(path, "remove an old checkpoint", error.value());
}

// The first sub-folder by name that has some, as each seed of several runs has one.
fs::path folder_with_checkpoints(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code unreadable;
    if (fs::exists(it->path() / kLast, unreadable) || fs::exists(it->path() / kBest, unreadable)) {
      found.push_back(it->path());
    }
  }
  return found.empty() ? fs::path() : *std::ranges::min_element(found);
}

}  // namespace

CheckpointDir::CheckpointDir(fs::path folder, std::uint32_t keep)
    : folder_(std::move(folder)), keep_(std::max(1U, keep)) {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) throw io_error(folder_, "create the checkpoint folder", error.value());
  lock_ = FileDescriptor(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock_) throw io_error(folder_, "open the checkpoint folder", errno);
  // Where the file system has no locks nobody is kept out.
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    throw DataError(folder_, "another run is writing its checkpoints to this folder");
  }
  remove_stale_temporaries(folder_);
  // Creates a temporary and drops it: finds a folder that cannot be written while nothing is lost
  // yet.
  const AtomicFile probe(folder_ / kLast);
}

fs::path CheckpointDir::save_last(const Checkpoint& checkpoint) const {
  fs::path path = folder_ / kLast;
  save_checkpoint(path, checkpoint);
  return path;
}

fs::path CheckpointDir::save_best(const Checkpoint& checkpoint) const {
  fs::path path = folder_ / kBest;
  save_checkpoint(path, checkpoint);
  return path;
}

fs::path CheckpointDir::save_best_and_last(const Checkpoint& checkpoint) const {
  fs::path last = folder_ / kLast;
  if (!replace_by_link(save_best(checkpoint), last)) save_checkpoint(last, checkpoint);
  return last;
}

fs::path CheckpointDir::save_step(const Checkpoint& checkpoint) const {
  fs::path path = folder_ / (std::string(kStepPrefix) + std::to_string(checkpoint.state.step) +
                             std::string(kSuffix));
  save_checkpoint(path, checkpoint);
  prune(path);
  return path;
}

void CheckpointDir::prune(const fs::path& written) const {
  std::uint32_t kept = 1;  // `written`
  for (const Entry& entry : checkpoints_in(folder_)) {
    if (entry.rank != 1 || entry.path == written) continue;
    if (++kept > keep_) remove_old(entry.path);
  }
}

void CheckpointDir::clear() const {
  for (const Entry& entry : checkpoints_in(folder_)) remove_old(entry.path);
}

std::vector<std::string> checkpoint_names(const fs::path& folder) {
  std::vector<std::string> names;
  for (const Entry& entry : checkpoints_in(folder)) names.push_back(entry.path.filename().string());
  std::ranges::sort(names);
  return names;
}

fs::path checkpoint_meant(const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return path;
  for (const auto name : {kBest, kLast}) {
    if (fs::exists(path / name, error)) return path / name;
  }
  std::string found = "neither";
  if (const auto names = checkpoint_names(path); !names.empty()) {
    found = names[0];
  } else if (const auto below = folder_with_checkpoints(path); !below.empty()) {
    found = "neither, but some in " + below.string();
  }
  throw DataError(path, std::nullopt, "best.safetensors or last.safetensors in this folder", found);
}

std::optional<FoundCheckpoint> newest_good(const fs::path& folder,
                                           const std::function<void(const std::string&)>& notice) {
  const std::vector<Entry> entries = checkpoints_in(folder);
  for (const Entry& entry : entries) {
    try {
      return FoundCheckpoint{entry.path, load_checkpoint(entry.path)};
    } catch (const DataError& error) {
      notice("skipped a damaged checkpoint: " + std::string(error.what()));
    }
  }
  if (entries.empty()) return std::nullopt;
  throw DataError(folder, std::nullopt, "a checkpoint to resume from",
                  std::to_string(entries.size()) + " damaged ones and no good one");
}

}  // namespace millrace
