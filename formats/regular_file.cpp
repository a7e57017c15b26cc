#include "formats/regular_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "formats/error.h"
#include "formats/mapped_file.h"

namespace millrace {

RegularFile::RegularFile(std::filesystem::path file, const std::optional<FileStamp>& known)
    : path(std::move(file)),
      // O_NONBLOCK: opening a pipe must not wait for a writer.
      descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  if (!descriptor && errno == ENOENT && known) throw ChangedFile(path, *known, std::nullopt);
  if (!descriptor) throw io_error(path, "open", errno);
  if (::fstat(descriptor.get(), &status) != 0) throw io_error(path, "read its size", errno);
  if (known && stamp_of(status) != *known) throw ChangedFile(path, *known, stamp_of(status));
  if (S_ISDIR(status.st_mode)) throw DataError(path, std::nullopt, "a file", "a folder");
  if (!S_ISREG(status.st_mode)) {
    throw DataError(path, std::nullopt, "a regular file", "a device, pipe or socket");
  }
}

Bytes read_front(const RegularFile& file, std::size_t size) {
  auto bytes = Bytes::allocate(size);
  const auto to = bytes.writable();
  for (std::size_t at = 0; at < size;) {
    const auto got = ::pread(file.descriptor.get(), &to[at], size - at, static_cast<::off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw io_error(file.path, fmt::format("read {} bytes", size - at), errno);
    if (got == 0) {
      throw DataError(file.path, at, fmt::format("{} bytes", size), "the end of the file");
    }
    at += static_cast<std::size_t>(got);
  }
  return bytes;
}

Bytes read_whole(const std::filesystem::path& path, const std::optional<FileStamp>& known,
                 std::size_t most_read) {
  const RegularFile file(path, known);
  if (std::cmp_greater(file.status.st_size, most_read)) return Bytes(MappedFile(file));
  return read_front(file, static_cast<std::size_t>(file.status.st_size));
}

}  // namespace millrace
