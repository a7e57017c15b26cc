#include "tools/cli/shard_journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <optional>

#include "formats/error.h"

namespace millrace {
namespace {

constexpr std::string_view kFirstWords = "millrace conversion 1 ";

}  // namespace

ShardJournal::ShardJournal(const std::filesystem::path& folder, const std::string& job, bool anew)
    : path_(folder / kUnfinishedName),
      folder_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (!folder_) throw io_error(folder, "open the folder", errno);
  file_ = FileDescriptor(::openat(folder_.get(), path_.filename().c_str(),
                                  O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0666));
  if (!file_) throw io_error(path_, "open", errno);
  // Where the file system has no locks nobody is kept out.
  if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    throw DataError(path_, "another conversion is writing to this folder");
  }
  if (anew && ::ftruncate(file_.get(), 0) != 0) throw io_error(path_, "empty", errno);
  read(job);
}

void ShardJournal::read(const std::string& job) {
  std::string text;
  constexpr std::size_t kPiece = std::size_t{64} << 10;
  for (;;) {
    const auto size = text.size();
    text.resize(size + kPiece);
    const auto got = ::pread(file_.get(), &text[size], kPiece, static_cast<off_t>(size));
    if (got < 0 && errno != EINTR) throw io_error(path_, "read", errno);
    text.resize(size + static_cast<std::size_t>(got < 0 ? 0 : got));
    if (got == 0) break;
  }
  // A line without an end was being written when the process ended.
  const auto whole = text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1;
  text.resize(whole);
  if (::ftruncate(file_.get(), static_cast<off_t>(whole)) != 0) throw io_error(path_, "cut", errno);
  if (text.empty()) {
    append(fmt::format("{}{}\n", kFirstWords, job));
    if (::fsync(folder_.get()) != 0 && errno != EINVAL) {
      throw io_error(path_, "sync its folder to disk", errno);
    }
    return;
  }
  std::string_view rest(text);
  const auto line = [&] {
    const auto end = rest.find('\n');
    const auto found = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    return found;
  };
  if (line() != fmt::format("{}{}", kFirstWords, job)) {
    throw DataError(path_,
                    "an interrupted conversion of other data or with other options has shards "
                    "here; --force replaces them");
  }
  while (!rest.empty()) {
    auto entry = line();
    const auto word = [&] {
      const auto end = std::min(entry.find(' '), entry.size());
      const auto found = entry.substr(0, end);
      entry.remove_prefix(std::min(end + 1, entry.size()));
      return found;
    };
    const std::string split(word());
    const auto number = word();
    std::uint32_t index = 0;
    const auto* end = number.data() + number.size();
    if (const auto [at, error] = std::from_chars(number.data(), end, index);
        error != std::errc() || at != end) {
      throw DataError(path_, std::nullopt, "the number of a shard", fmt::format("'{}'", number));
    }
    shards_[{split, index}] = parse_shard(path_, entry);
  }
}

const Shard* ShardJournal::find(std::string_view split, std::uint32_t index) const {
  const auto found = shards_.find({std::string(split), index});
  return found == shards_.end() ? nullptr : &found->second;
}

void ShardJournal::add(std::string_view split, std::uint32_t index, const Shard& shard) {
  append(fmt::format("{} {} {}\n", split, index, render_shard(shard)));
  shards_[{std::string(split), index}] = shard;
}

void ShardJournal::append(std::string_view line) {
  while (!line.empty()) {
    const auto written = ::write(file_.get(), line.data(), line.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      throw io_error(path_, "write", errno);
    }
    line.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(file_.get()) != 0) throw io_error(path_, "sync to disk", errno);
}

void ShardJournal::remove() {
  if (::unlinkat(folder_.get(), path_.filename().c_str(), 0) != 0) {
    throw io_error(path_, "remove", errno);
  }
  file_.reset();
}

}  // namespace millrace
