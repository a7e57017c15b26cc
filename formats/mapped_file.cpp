#include "formats/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <utility>

#include "formats/error.h"
#include "formats/file_descriptor.h"

namespace millrace {
namespace {

// A page that is touched brings in those around it that the kernel has in memory anyway: an aligned
// block of this size by default (fault_around_bytes in the kernel's mm/memory.c).
constexpr std::size_t kFaultAround = std::size_t{64} << 10;

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) {
  // O_NONBLOCK: opening a pipe must not wait for a writer.
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) throw io_error(path, "open", errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw io_error(path, "read its size", errno);
  if (S_ISDIR(status.st_mode)) throw DataError(path, std::nullopt, "a file", "a folder");
  if (!S_ISREG(status.st_mode)) {
    throw DataError(path, std::nullopt, "a regular file", "a device, pipe or socket");
  }
  if (status.st_size == 0) return;  // mmap refuses a length of 0
  if (std::cmp_greater(status.st_size, std::numeric_limits<std::size_t>::max())) {
    throw io_error(path, "map", EFBIG);
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (address == MAP_FAILED) throw io_error(path, "map", errno);
  bytes_ = {static_cast<const std::byte*>(address), size};
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  MappedFile moved(std::move(other));
  std::swap(bytes_, moved.bytes_);
  return *this;
}

void MappedFile::expect_sequential() const noexcept {
  advise(0, bytes_.size(), 1, MADV_SEQUENTIAL);
}

void MappedFile::expect(std::size_t at, std::size_t length) const noexcept {
  advise(at, length, 1, MADV_WILLNEED);
}

void MappedFile::forget(std::size_t at, std::size_t length) const noexcept {
  advise(at, length, kFaultAround, MADV_DONTNEED);
}

// Of the blocks of `around` bytes, or of pages where those are larger, that [at, at + length)
// touches.
void MappedFile::advise(std::size_t at, std::size_t length, std::size_t around,
                        int advice) const noexcept {
  const long page = ::sysconf(_SC_PAGESIZE);
  if (page <= 0 || at >= bytes_.size() || length == 0) return;
  around = std::max(around, static_cast<std::size_t>(page));
  // Blocks of addresses, not of bytes of the file.
  const auto base = reinterpret_cast<std::uintptr_t>(bytes_.data());
  const std::size_t begin = at - std::min(at, (base + at) % around);
  const std::size_t last = at + std::min(length, bytes_.size() - at);
  const std::size_t behind = around - (base + last - 1) % around - 1;
  const std::size_t end = last + std::min(behind, bytes_.size() - last);
  // Where it fails, reading is slower or pages stay, and nothing else.
  ::madvise(const_cast<std::byte*>(&bytes_[begin]), end - begin, advice);
}

}  // namespace millrace
