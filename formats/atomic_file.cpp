#include "formats/atomic_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

#include "formats/error.h"

namespace millrace {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{64} << 10;
// Linux writes at most 0x7ffff000 bytes a call; smaller pieces also let a signal handler run.
constexpr std::size_t kLargestWrite = std::size_t{64} << 20;
constexpr std::string_view kSuffix = ".millrace-tmp";

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

// Hidden, so that no pattern like *.safetensors finds it; the suffix tells
// remove_stale_temporaries() whose it is. Long names are cut to leave room for the rest: where two
// become the same, a number tells their writers apart.
std::string temporary_name(const std::filesystem::path& path, unsigned number) {
  return fmt::format(".{}.{}{}", path.filename().string().substr(0, 200), number, kSuffix);
}

/// False once the open file has another name or none: names are used again.
bool is_named(int fd, int folder, const char* name) {
  struct stat open {};
  struct stat named {};
  return ::fstat(fd, &open) == 0 && ::fstatat(folder, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
         open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

/// The lock tells remove_stale() that the writer lives; the kernel drops it with the process. False
/// if somebody took the file for stale between its creation and the lock.
bool lock_new_file(int fd, int folder, const char* name) {
  // Without locks on this file system nobody else can lock it either, so nobody will remove it.
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return false;
  return is_named(fd, folder, name);
}

/// Removes a temporary that no writer has locked. False if that cannot be: it is somebody's.
bool remove_stale(int folder, const char* name) {
  const FileDescriptor file(::openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  // The name last: under the lock only who holds it renames or removes.
  return file && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0 &&
         is_named(file.get(), folder, name) && ::unlinkat(folder, name, 0) == 0;
}

struct CloseDir {
  void operator()(DIR* dir) const noexcept { ::closedir(dir); }
};

/// Permissions of the file that will be replaced, if there is one.
std::optional<mode_t> mode_of_existing(const std::filesystem::path& path, int folder) {
  struct stat status {};
  if (::fstatat(folder, path.filename().c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return std::nullopt;
    throw io_error(path, "create", errno);
  }
  // A link goes, but not one to what no file can stand for: /dev/stdout is such a link.
  const bool link = S_ISLNK(status.st_mode);
  if (link && ::fstatat(folder, path.filename().c_str(), &status, 0) != 0) return std::nullopt;
  if (S_ISDIR(status.st_mode)) throw io_error(path, "create", EISDIR);
  if (!S_ISREG(status.st_mode)) throw DataError(path, "cannot replace: not a regular file");
  return link ? std::nullopt : std::optional(status.st_mode & mode_t{07777});
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
  if (!path_.has_filename()) throw io_error(path_, "create", EISDIR);
  const auto folder = folder_of(path_);
  // Opened first: a folder that cannot be synced is found before anything is written.
  folder_ = FileDescriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder_) {
    throw io_error(path_, fmt::format("create: open folder {}", folder.string()), errno);
  }
  const auto mode = mode_of_existing(path_, folder_.get());
  buffer_.reserve(kBufferBytes);  // before there is something to remove
  for (unsigned number = 0; !file_;) {
    temporary_name_ = temporary_name(path_, number);
    file_ = FileDescriptor(::openat(folder_.get(), temporary_name_.c_str(),
                                    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (file_) {
      if (!lock_new_file(file_.get(), folder_.get(), temporary_name_.c_str())) file_.reset();
    } else if (errno == EEXIST) {
      // Removed and made again, not written over: it may have another owner, or be a link.
      if (!remove_stale(folder_.get(), temporary_name_.c_str())) ++number;
    } else if (errno != EINTR) {
      throw io_error(path_, fmt::format("create a temporary file in {}", folder.string()), errno);
    }
  }
  if (mode && ::fchmod(file_.get(), *mode) != 0) {
    const int code = errno;
    discard();
    throw io_error(path_, "keep the permissions", code);
  }
}

AtomicFile::~AtomicFile() { discard(); }

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_name_(std::exchange(other.temporary_name_, {})),
      folder_(std::move(other.folder_)),
      file_(std::move(other.file_)),
      buffer_(std::move(other.buffer_)),
      size_(std::exchange(other.size_, 0)),
      failed_(std::exchange(other.failed_, false)) {}

std::filesystem::path AtomicFile::temporary() const { return folder_of(path_) / temporary_name_; }

void AtomicFile::check_open() const {
  if (temporary_name_.empty() || failed_) {
    throw std::logic_error(path_.string() + ": AtomicFile used after commit() or an error");
  }
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  check_open();
  if (bytes.size() > kBufferBytes - buffer_.size()) flush();
  if (bytes.size() >= kBufferBytes) {
    write_through(bytes);
  } else {
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  }
  size_ += bytes.size();
}

void AtomicFile::write(std::string_view text) { write(std::as_bytes(std::span(text))); }

void AtomicFile::flush() {
  write_through(buffer_);
  buffer_.clear();
}

void AtomicFile::write_through(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto piece = std::min(bytes.size(), kLargestWrite);
    const auto written = ::write(file_.get(), bytes.data(), piece);
    if (written < 0) {
      if (errno == EINTR) continue;
      failed_ = true;
      throw io_error(path_, fmt::format("write {} bytes to its temporary file", piece), errno);
    }
    // A short write is not an error yet: the next call says why.
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void AtomicFile::sync() {
  check_open();
  flush();
  if (::fsync(file_.get()) == 0) return;
  const int code = errno;
  failed_ = true;
  throw io_error(path_, "sync to disk", code);
}

void AtomicFile::commit() {
  sync();
  const auto fail = [this](std::string_view action) {
    const int code = errno;
    failed_ = true;
    throw io_error(path_, action, code);
  };
  // Somebody may have removed it all the same, and another writer taken the name.
  const bool ours = is_named(file_.get(), folder_.get(), temporary_name_.c_str());
  if (!ours) errno = ENOENT;
  if (!ours || ::renameat(folder_.get(), temporary_name_.c_str(), folder_.get(),
                          path_.filename().c_str()) != 0) {
    fail("rename its temporary file");
  }
  temporary_name_.clear();
  file_.reset();
  // EINVAL: the file system has no such thing as syncing a folder.
  if (::fsync(folder_.get()) != 0 && errno != EINVAL) fail("sync its folder to disk");
  folder_.reset();
}

void AtomicFile::discard() noexcept {
  if (!temporary_name_.empty() && is_named(file_.get(), folder_.get(), temporary_name_.c_str())) {
    ::unlinkat(folder_.get(), temporary_name_.c_str(), 0);
  }
  temporary_name_.clear();
  file_.reset();
  folder_.reset();
}

bool replace_by_link(const std::filesystem::path& existing, const std::filesystem::path& path) {
  const auto parent = folder_of(path);
  const FileDescriptor folder(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) throw io_error(path, fmt::format("link: open folder {}", parent.string()), errno);
  const auto name = fmt::format(".{}.link{}", path.filename().string(), kSuffix);
  for (;;) {
    // What a killed process left.
    if (::unlinkat(folder.get(), name.c_str(), 0) != 0 && errno != ENOENT) {
      throw io_error(path, fmt::format("remove {}", name), errno);
    }
    if (::linkat(folder.get(), existing.filename().c_str(), folder.get(), name.c_str(), 0) != 0) {
      if (errno == EEXIST) continue;
      if (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS || errno == EMLINK) return false;
      throw io_error(path, fmt::format("link to {}", existing.filename().string()), errno);
    }
    const bool renamed =
        ::renameat(folder.get(), name.c_str(), folder.get(), path.filename().c_str()) == 0;
    const int code = errno;
    // Also after success: names of one file are left alone by a rename from one to the other.
    ::unlinkat(folder.get(), name.c_str(), 0);
    if (renamed) break;
    // ENOENT: another process took it for a killed one's, or replaced by it what this one wants to.
    if (code != ENOENT) throw io_error(path, "rename its temporary link", code);
  }
  sync_folder_of(path);
  return true;
}

void sync_folder_of(const std::filesystem::path& path) {
  const FileDescriptor folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || (::fsync(folder.get()) != 0 && errno != EINVAL)) {
    throw io_error(path, "sync its folder to disk", errno);
  }
}

std::size_t remove_stale_temporaries(const std::filesystem::path& folder) {
  const std::unique_ptr<DIR, CloseDir> dir(::opendir(folder.c_str()));
  if (!dir) {
    if (errno == ENOENT) return 0;
    throw io_error(folder, "list the folder", errno);
  }
  std::size_t removed = 0;
  // POSIX: readdir() of one DIR stream used by one thread is safe.
  while (const dirent* entry = ::readdir(dir.get())) {  // NOLINT(concurrency-mt-unsafe)
    const std::string_view name(entry->d_name);
    if (name.starts_with('.') && name.ends_with(kSuffix) &&
        remove_stale(::dirfd(dir.get()), entry->d_name)) {
      ++removed;
    }
  }
  return removed;
}

}  // namespace millrace
