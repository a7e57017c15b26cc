#include "tools/fetch/partial_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "formats/atomic_file.h"
#include "formats/error.h"

namespace millrace {
namespace {

constexpr mode_t kMode = 0644;

std::filesystem::path part_of(std::filesystem::path path) { return path += ".part"; }

}  // namespace

PartialFile::PartialFile(std::filesystem::path path) : path_(std::move(path)) {
  const auto part = temporary();
  // A symbolic link there would have somebody else's file written.
  file_ = FileDescriptor(::open(part.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kMode));
  if (!file_) throw io_error(part, "open", errno);
  if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) throw DataError(part, "another process is downloading it");
    throw io_error(part, "lock", errno);
  }
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) throw io_error(part, "read the size of", errno);
  if (!S_ISREG(status.st_mode)) throw DataError(part, "is not a regular file");
  size_ = static_cast<std::uint64_t>(status.st_size);
}

PartialFile::~PartialFile() {
  if (size_ == 0 && !published_) ::unlink(temporary().c_str());
}

std::filesystem::path PartialFile::temporary() const { return part_of(path_); }

void PartialFile::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (offset < size_) {
    if (::ftruncate(file_.get(), static_cast<off_t>(offset)) != 0) {
      throw io_error(temporary(), "shorten", errno);
    }
    size_ = offset;
  }
  while (!bytes.empty()) {
    const ssize_t put =
        ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(size_));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw io_error(temporary(), "write", errno);
    size_ += static_cast<std::uint64_t>(put);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
}

void PartialFile::clear() { write(0, {}); }

void PartialFile::publish() {
  if (::fsync(file_.get()) != 0) throw io_error(temporary(), "make durable", errno);
  if (::rename(temporary().c_str(), path_.c_str()) != 0) throw io_error(path_, "rename to", errno);
  published_ = true;
  sync_folder_of(path_);
}

void remove_stale_part(const std::filesystem::path& path) {
  const auto part = part_of(path);
  const FileDescriptor file(::open(part.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return;  // not ours
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return;
  if (::unlink(part.c_str()) != 0 && errno != ENOENT) throw io_error(part, "remove", errno);
}

}  // namespace millrace
