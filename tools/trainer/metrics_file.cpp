#include "tools/trainer/metrics_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "formats/atomic_file.h"
#include "formats/error.h"
#include "formats/in_quotes.h"
#include "formats/json_text.h"
#include "tools/console/output.h"

namespace millrace {
namespace {

constexpr std::size_t kLongestLine = 65536;  // in bytes, of what a run writes

// Or nothing, and errno.
FileDescriptor open_or_make(const std::filesystem::path& path) {
  constexpr int kHow = O_APPEND | O_CLOEXEC;
  struct stat there {};
  // Who could read a pipe counts as its reader: a write would wait for ever once all others left.
  if (::stat(path.c_str(), &there) == 0 && !S_ISREG(there.st_mode)) {
    return FileDescriptor(::open(path.c_str(), O_WRONLY | kHow));
  }
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | kHow, 0666));
  if (file || errno != EACCES) return file;
  // It may be one to be written alone.
  file = FileDescriptor(::open(path.c_str(), O_WRONLY | kHow));
  if (!file && errno == ENOENT) errno = EACCES;  // why it could not be made
  return file;
}

}  // namespace

MetricsFile::MetricsFile(std::filesystem::path path, LineKind kind)
    : path_(std::move(path)), kind_(std::move(kind)), file_(open_or_make(path_)) {
  struct stat status {};
  if (!file_ || ::fstat(file_.get(), &status) != 0) {
    throw io_error(path_, "open the " + kind_.what + " file", errno);
  }
  regular_ = S_ISREG(status.st_mode);
}

void MetricsFile::begin() {
  if (!regular_) return;
  std::array<char, kLongestLine> block{};
  const ssize_t got = ::pread(file_.get(), block.data(), block.size(), 0);
  if (got < 0 && errno != EBADF) {  // may be written, not read
    throw io_error(path_, "read the " + kind_.what + " file", errno);
  }
  check_begin({block.data(), got < 0 ? 0 : static_cast<std::size_t>(got)});
  hold();
  cut(0);
}

void MetricsFile::go_on(const std::function<bool(const nlohmann::ordered_json&)>& goes) {
  if (!regular_) return;
  hold();
  const std::string text = content();
  check_begin(text);
  std::string kept;
  std::string_view rest = text;
  for (std::size_t end = 0; (end = rest.find('\n')) != std::string_view::npos;) {
    const std::string_view line = rest.substr(0, end + 1);
    rest.remove_prefix(line.size());
    const auto json = nlohmann::ordered_json::parse(line, nullptr, false);
    if (!json.is_object() || !goes(json)) kept += line;
  }
  if (!rest.empty() && rest.front() != '{') refuse(text.size() - rest.size(), rest);
  if (text.starts_with(kept)) {
    cut(kept.size());
  } else {
    replace(kept);
  }
}

// What a run has left there begins with a line of the kind, which a kill may have cut off where it
// is the only one. Anything else is somebody's own, be it JSON.
void MetricsFile::check_begin(std::string_view text) const {
  if (text.empty()) return;
  const std::string_view line = text.substr(0, text.find('\n'));
  const auto json = nlohmann::ordered_json::parse(line, nullptr, false);
  const bool cut_off = json.is_discarded() && line.size() == text.size() &&
                       line.size() < kLongestLine && line.front() == '{';
  if (!cut_off && (!json.is_object() || !kind_.is(json))) refuse(0, line);
}

void MetricsFile::refuse(std::uint64_t byte, std::string_view found) const {
  throw DataError(
      path_, byte,
      "an empty file or lines like " + kind_.example + ", to be the " + kind_.what + " file",
      in_quotes(found));
}

// Two runs would mix their lines, and what one keeps, the other would cut off.
void MetricsFile::hold() const {
  if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    throw DataError(path_, "another run is writing its " + kind_.what + " to this file");
  }
}

void MetricsFile::cut(std::uint64_t length) {
  if (::ftruncate(file_.get(), static_cast<off_t>(length)) != 0) {
    throw io_error(path_, "truncate the " + kind_.what + " file", errno);
  }
  length_ = length;
}

// Lines between others go in one step, so that a kill loses none of those that stay.
void MetricsFile::replace(const std::string& text) {
  AtomicFile file(std::filesystem::canonical(path_));  // what a link names, not the link
  file.write(text);
  file.commit();
  file_ = FileDescriptor(::open(path_.c_str(), O_RDWR | O_APPEND | O_CLOEXEC));
  if (!file_) throw io_error(path_, "open the " + kind_.what + " file", errno);
  hold();
  length_ = text.size();
}

std::string MetricsFile::content() const {
  std::string text;
  std::array<char, 65536> block{};
  for (;;) {
    const ssize_t got =
        ::pread(file_.get(), block.data(), block.size(), static_cast<off_t>(text.size()));
    if (got < 0) throw io_error(path_, "read the " + kind_.what + " file", errno);
    if (got == 0) return text;
    text.append(block.data(), static_cast<std::size_t>(got));
  }
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
  error_ = io_error(path_, "write " + kind_.what, output.error()).what();
  // A part of a line is of no use to anybody. Where cutting it off fails too, it stays.
  if (regular_) std::ignore = ::ftruncate(file_.get(), static_cast<off_t>(length_));
}

}  // namespace millrace
