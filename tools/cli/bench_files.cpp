#include "tools/cli/bench_files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <future>
#include <system_error>

#include "formats/error.h"
#include "formats/file_descriptor.h"

namespace millrace {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::uint64_t kPiece = 1U << 20U;
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30U;
constexpr double kUncached = 0.05;  // as much of the files may still be in memory

double since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

[[noreturn]] void fail(const std::filesystem::path& file) {
  throw DataError(file, std::generic_category().message(errno));
}

FileDescriptor opened(const std::filesystem::path& file) {
  FileDescriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!descriptor) fail(file);
  return descriptor;
}

struct Piece {
  std::size_t file = 0;
  std::uint64_t at = 0;
  std::uint64_t bytes = 0;
};

std::vector<Piece> pieces_of(const std::vector<std::filesystem::path>& files) {
  std::vector<Piece> pieces;
  std::uint64_t all = 0;
  for (std::size_t f = 0; f < files.size(); ++f) {
    const std::uint64_t size = std::filesystem::file_size(files[f]);
    for (std::uint64_t at = 0; at < size && all < kMostBytes; at += kPiece) {
      pieces.push_back({f, at, std::min(kPiece, size - at)});
      all += pieces.back().bytes;
    }
  }
  return pieces;
}

// One pass over the pieces, for at most `seconds`; the bytes that came.
std::uint64_t read_once(const std::vector<std::filesystem::path>& files,
                        const std::vector<Piece>& pieces, std::uint32_t threads, double seconds,
                        const std::atomic<bool>& stop) {
  std::atomic<std::size_t> next{0};
  std::atomic<std::uint64_t> bytes{0};
  const auto start = Clock::now();
  const auto work = [&] {
    std::vector<std::byte> buffer(kPiece);
    FileDescriptor descriptor;
    std::size_t open = files.size();
    for (std::size_t i = next++; i < pieces.size() && !stop.load(); i = next++) {
      const Piece& piece = pieces[i];
      if (piece.file != open) {
        descriptor = opened(files[piece.file]);
        open = piece.file;
      }
      const ssize_t got =
          ::pread(descriptor.get(), buffer.data(), piece.bytes, static_cast<off_t>(piece.at));
      if (got < 0) fail(files[piece.file]);
      bytes += static_cast<std::uint64_t>(got);
      if (since(start) > seconds) return;
    }
  };
  std::vector<std::future<void>> others;
  for (std::uint32_t t = 1; t < threads; ++t) {
    others.push_back(std::async(std::launch::async, work));
  }
  work();
  for (auto& other : others) other.get();
  return bytes;
}

// Bytes of the file that are in memory, in whole pages.
std::uint64_t cached_bytes(const std::filesystem::path& file) {
  const std::uint64_t size = std::filesystem::file_size(file);
  if (size == 0) return 0;
  const FileDescriptor descriptor = opened(file);
  void* at = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor.get(), 0);
  if (at == MAP_FAILED) fail(file);  // NOLINT(performance-no-int-to-ptr)
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> pages((size + page - 1) / page);
  const int failed = ::mincore(at, size, pages.data());
  ::munmap(at, size);
  if (failed != 0) fail(file);
  return page * static_cast<std::uint64_t>(std::ranges::count_if(
                    pages, [](unsigned char state) { return (state & 1U) != 0; }));
}

}  // namespace

std::vector<std::filesystem::path> files_at(const std::filesystem::path& path) {
  namespace fs = std::filesystem;
  if (!fs::is_directory(path)) return {path};
  std::vector<fs::path> files;
  for (fs::recursive_directory_iterator it(path), end; it != end; ++it) {
    const bool hidden = it->path().filename().string().starts_with('.');
    if (hidden && it->is_directory()) it.disable_recursion_pending();
    std::error_code dangling;
    if (!hidden && it->is_regular_file(dangling)) files.push_back(it->path());
  }
  std::ranges::sort(files);
  return files;
}

std::optional<FileSpeed> read_cached(const std::vector<std::filesystem::path>& files,
                                     std::uint32_t threads, double seconds,
                                     const std::atomic<bool>& stop) {
  const auto pieces = pieces_of(files);
  if (pieces.empty()) return std::nullopt;
  constexpr double kNever = 1e9;
  read_once(files, pieces, threads, kNever, stop);
  FileSpeed speed;
  const auto start = Clock::now();
  do {
    speed.bytes += read_once(files, pieces, threads, kNever, stop);
    speed.seconds = since(start);
  } while (speed.seconds < seconds && !stop.load());
  if (stop.load() || speed.bytes == 0) return std::nullopt;
  return speed;
}

std::optional<FileSpeed> read_uncached(const std::vector<std::filesystem::path>& files,
                                       std::uint32_t threads, double seconds,
                                       const std::atomic<bool>& stop) {
  const auto pieces = pieces_of(files);
  std::uint64_t all = 0;
  std::uint64_t cached = 0;
  for (const auto& file : files) {
    // What is not on the disk yet is not dropped.
    const FileDescriptor descriptor = opened(file);
    if (::fdatasync(descriptor.get()) != 0 ||
        ::posix_fadvise(descriptor.get(), 0, 0, POSIX_FADV_DONTNEED) != 0) {
      return std::nullopt;
    }
    all += std::filesystem::file_size(file);
    cached += cached_bytes(file);
  }
  if (all == 0 || static_cast<double>(cached) > kUncached * static_cast<double>(all)) {
    return std::nullopt;
  }
  FileSpeed speed;
  const auto start = Clock::now();
  speed.bytes = read_once(files, pieces, threads, seconds, stop);
  speed.seconds = since(start);
  if (stop.load() || speed.bytes == 0) return std::nullopt;
  return speed;
}

}  // namespace millrace
