#include "tools/trainer/metrics_file.h"
#include "formats/json_text.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "formats/error.h"
#include "tools/console/output.h"

namespace millrace {

MetricsFile::MetricsFile(std::filesystem::path path, std::string what)
    : path_(std::move(path)),
      what_(std::move(what)),
      file_(::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) {
  // Pipes and some devices cannot be read from.
  if (!file_ && (errno == EACCES || errno == EINVAL || errno == EPERM)) {
    file_ = FileDescriptor(::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  }
  struct stat status {};
  if (!file_ || ::fstat(file_.get(), &status) != 0) {
    throw io_error(path_, "open the " + what_ + " file", errno);
  }
  regular_ = S_ISREG(status.st_mode);
}

void MetricsFile::begin(bool append) {
  if (!regular_) return;
  if (!append) check_own();
  length_ = append ? whole_lines() : 0;
  if (::ftruncate(file_.get(), static_cast<off_t>(length_)) != 0) {
    throw io_error(path_, "truncate the " + what_ + " file", errno);
  }
}

// What a run has left there begins with an object; anything else is not to be emptied.
void MetricsFile::check_own() const {
  char first = '{';
  if (::pread(file_.get(), &first, 1, 0) < 0) {
    if (errno == EBADF) return;  // may be written, not read
    throw io_error(path_, "read the " + what_ + " file", errno);
  }
  if (first != '{') {
    throw DataError(path_, 0, "an empty file or lines of JSON, to be the " + what_ + " file",
                    "something else");
  }
}

// Bytes up to the last line break.
std::uint64_t MetricsFile::whole_lines() const {
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0)
    throw io_error(path_, "read the " + what_ + " file", errno);
  std::array<char, 4096> block{};
  for (auto end = static_cast<std::uint64_t>(status.st_size); end > 0;) {
    const std::uint64_t begin = end > block.size() ? end - block.size() : 0;
    const ssize_t got = ::pread(file_.get(), block.data(), end - begin, static_cast<off_t>(begin));
    if (got < 0) throw io_error(path_, "read the " + what_ + " file", errno);
    const std::string_view text(block.data(), static_cast<std::size_t>(got));
    const std::size_t last = text.rfind('\n');
    if (last != std::string_view::npos) return begin + last + 1;
    end = begin;
  }
  return 0;
}

void MetricsFile::write(const nlohmann::ordered_json& record) {
  if (!error_.empty()) return;
  const std::string line = json_line(record) + '\n';
  Output output(file_.get());
  output.write(line);
  if (output.error() == 0) {
    length_ += line.size();
    return;
  }
  error_ = io_error(path_, "write " + what_, output.error()).what();
  // A part of a line is of no use to anybody. Where cutting it off fails too, it stays.
  if (regular_) std::ignore = ::ftruncate(file_.get(), static_cast<off_t>(length_));
}

}  // namespace millrace
