#include "formats/mapped_file.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "formats/error.h"
#include "formats/regular_file.h"

namespace millrace {
namespace {

// A page that is touched brings in those around it that the kernel has in memory anyway: an aligned
// block of 64 KiB by default (fault_around_bytes in the kernel's mm/memory.c), and newer kernels
// map all of a large folio that it belongs to, up to a huge page.
constexpr std::size_t kFaultAround = std::size_t{2} << 20;

// Of the blocks of `around` bytes, or of pages where those are larger, that [at, at + length)
// touches.
void advise(std::span<const std::byte> bytes, std::size_t at, std::size_t length,
            std::size_t around, int advice) noexcept {
  const long page_size = ::sysconf(_SC_PAGESIZE);
  if (page_size <= 0 || at >= bytes.size() || length == 0) return;
  const auto page = static_cast<std::size_t>(page_size);
  around = std::max(around, page);
  // Blocks of addresses, not of bytes of the file.
  const auto base = reinterpret_cast<std::uintptr_t>(bytes.data());
  std::size_t begin = at - std::min(at, (base + at) % around);
  begin += (page - (base + begin) % page) % page;  // a page that is not the caller's alone
  const std::size_t last = at + std::min(length, bytes.size() - at);
  const std::size_t behind = around - (base + last - 1) % around - 1;
  const std::size_t end = last + std::min(behind, bytes.size() - last);
  if (begin >= end) return;
  // Where it fails, reading is slower or pages stay, and nothing else.
  ::madvise(const_cast<std::byte*>(&bytes[begin]), end - begin, advice);
}

struct Origin {
  std::filesystem::path path;
  struct stat status;
};

bool is_same_file(const struct stat& a, const struct stat& b) noexcept {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/// What is mapped where.
struct Mappings {
  std::mutex mutex;
  std::unordered_map<const void*, Origin> origins;
};

Mappings& mappings() {
  static Mappings all;
  return all;
}

void remember(const void* address, Origin origin) {
  const std::scoped_lock lock(mappings().mutex);
  mappings().origins.insert_or_assign(address, std::move(origin));
}

void forget_origin(const void* address) noexcept {
  const std::scoped_lock lock(mappings().mutex);
  mappings().origins.erase(address);
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) : MappedFile(RegularFile(path)) {}

MappedFile::MappedFile(const RegularFile& file) {
  const auto& [path, descriptor, status] = file;
  if (status.st_size == 0) return;  // mmap refuses a length of 0
  if (std::cmp_greater(status.st_size, std::numeric_limits<std::size_t>::max())) {
    throw io_error(path, "map", EFBIG);
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor.get(), 0);
  if (address == MAP_FAILED) throw io_error(path, "map", errno);
  try {
    remember(address, {path, status});
  } catch (...) {
    ::munmap(address, size);
    throw;
  }
  bytes_ = {static_cast<const std::byte*>(address), size};
}

MappedFile::~MappedFile() {
  if (bytes_.empty()) return;
  forget_origin(bytes_.data());  // before another file may be mapped there
  ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  MappedFile moved(std::move(other));
  std::swap(bytes_, moved.bytes_);
  return *this;
}

void MappedFile::expect_sequential() const noexcept {
  advise(bytes_, 0, bytes_.size(), 1, MADV_SEQUENTIAL);
}

void MappedFile::expect(std::size_t at, std::size_t length) const noexcept {
  expect_mapped(bytes_, at, length);
}

void MappedFile::forget(std::size_t at, std::size_t length) const noexcept {
  forget_mapped(bytes_, at, length);
}

std::optional<std::filesystem::path> mapping_written_to() {
  std::unordered_map<const void*, Origin> origins;
  {
    const std::scoped_lock lock(mappings().mutex);
    origins = mappings().origins;
  }
  for (const auto& [address, origin] : origins) {
    struct stat now {};
    if (::stat(origin.path.c_str(), &now) != 0 || !is_same_file(now, origin.status)) continue;
    if (stamp_of(now) == stamp_of(origin.status)) continue;
    const std::scoped_lock lock(mappings().mutex);
    const auto found = mappings().origins.find(address);
    if (found == mappings().origins.end() || !is_same_file(now, found->second.status)) continue;
    found->second.status = now;
    return origin.path;
  }
  return std::nullopt;
}

void expect_mapped(std::span<const std::byte> mapped, std::size_t at, std::size_t length) noexcept {
  advise(mapped, at, length, 1, MADV_WILLNEED);
}

void forget_mapped(std::span<const std::byte> mapped, std::size_t at, std::size_t length) noexcept {
  advise(mapped, at, length, kFaultAround, MADV_DONTNEED);
}

}  // namespace millrace
