#include "tools/tensorboard/event_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <tuple>

#include "formats/error.h"
#include "tools/console/output.h"

namespace millrace {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.data();
}

}  // namespace

EventFile::EventFile(const std::filesystem::path& folder) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) throw io_error(folder, "make the folder", failed.value());
  // As TensorFlow names them: TensorBoard looks for "tfevents", and reads them in order of time.
  const std::string stem =
      fmt::format("events.out.tfevents.{:.0f}.{}.{}", now(), host_name(), ::getpid());
  for (int number = 0; !file_; ++number) {
    path_ = folder / fmt::format("{}.{}", stem, number);
    file_ = FileDescriptor(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (!file_ && errno != EEXIST) throw io_error(path_, "make the event file", errno);
  }
  if (const int reason = append(version_event(now())); reason != 0) {
    std::filesystem::remove(path_, failed);
    throw io_error(path_, "write events", reason);
  }
}

void EventFile::write(std::int64_t step, const Summary& summary) {
  append_or_keep_error(summary_event(now(), step, summary));
}

void EventFile::restart(std::int64_t step) { append_or_keep_error(restart_event(now(), step)); }

void EventFile::append_or_keep_error(const std::string& event) {
  if (!error_.empty()) return;
  if (const int reason = append(event); reason != 0) {
    error_ = io_error(path_, "write events", reason).what();
  }
}

int EventFile::append(const std::string& event) {
  const std::string record = tf_record(event);
  Output output(file_.get());
  output.write(record);
  if (output.error() == 0) {
    length_ += record.size();
    return 0;
  }
  // A part of an event would end the reading there. Where cutting it off fails too, it stays.
  std::ignore = ::ftruncate(file_.get(), static_cast<off_t>(length_));
  return output.error();
}

}  // namespace millrace
