#include "tools/cli/atomic_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "formats/atomic_file.h"
#include "formats/error.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".millrace-tmp";

fs::path parent_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

}  // namespace

AtomicFolder::AtomicFolder(fs::path path) : path_(std::move(path)) {
  for (int number = 0;; ++number) {
    auto name = parent_of(path_) /
                fmt::format(".{}.{}-{}{}", path_.filename().string(), ::getpid(), number, kSuffix);
    if (::mkdir(name.c_str(), 0777) != 0) {
      if (errno == EEXIST) continue;
      throw io_error(name, "create the folder", errno);
    }
    temporary_ = std::move(name);
    lock_ = FileDescriptor(::open(temporary_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!lock_) throw io_error(temporary_, "open the folder", errno);
    // The kernel drops it with the process. Where there are no locks nobody removes it either.
    ::flock(lock_.get(), LOCK_EX | LOCK_NB);
    return;
  }
}

AtomicFolder::~AtomicFolder() {
  if (temporary_.empty()) return;
  std::error_code ignored;
  fs::remove_all(temporary_, ignored);
}

AtomicFolder::AtomicFolder(AtomicFolder&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      lock_(std::move(other.lock_)) {}

void AtomicFolder::sync() const {
  if (::syncfs(lock_.get()) != 0) throw io_error(path_, "sync to disk", errno);
}

void AtomicFolder::commit() {
  struct stat status {};
  const bool replaces = ::lstat(path_.c_str(), &status) == 0;
  // In one step, so that at any time one of the two is there.
  const unsigned how = replaces ? RENAME_EXCHANGE : RENAME_NOREPLACE;
  if (::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path_.c_str(), how) != 0) {
    throw io_error(path_, "rename its temporary folder", errno);
  }
  sync_folder_of(path_);
  if (replaces) {
    std::error_code error;
    fs::remove_all(temporary_, error);
    if (error) throw io_error(temporary_, "remove what was replaced", error.value());
  }
  temporary_.clear();
}

void remove_stale_folders(const fs::path& folder) {
  std::vector<fs::path> stale;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const auto name = it->path().filename().string();
    std::error_code unreadable;
    if (name.front() != '.' || !name.ends_with(kSuffix) ||
        it->symlink_status(unreadable).type() != fs::file_type::directory) {
      continue;
    }
    const FileDescriptor held(::open(it->path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (held && ::flock(held.get(), LOCK_EX | LOCK_NB) == 0) stale.push_back(it->path());
  }
  for (const auto& path : stale) fs::remove_all(path, error);
}

}  // namespace millrace
