#include "train/free_memory.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace millrace {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

// The number behind a name, as /proc/meminfo ("MemFree:  12 kB") and memory.stat ("file 12") have
// it.
std::optional<std::uint64_t> entry(const fs::path& path, std::string_view wanted) {
  std::ifstream file(path);
  std::string name;
  std::string rest;
  for (std::uint64_t value = 0; file >> name >> value; std::getline(file, rest)) {
    if (name == wanted) return value;
  }
  return std::nullopt;
}

std::uint64_t kib(const MemoryFiles& files, std::string_view name) {
  return entry(files.proc / "meminfo", name).value_or(0) * 1024;
}

// How the two versions of control groups call things.
struct Version {
  std::string_view line;  // begins the process's own in /proc/self/cgroup, after a number
  std::string_view folder;
  std::string_view limit;
  std::string_view usage;
  std::string_view stat_prefix;
};
constexpr Version kOne{":memory:/", "memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
                       "total_"};
constexpr Version kTwo{"::/", "", "memory.max", "memory.current", ""};

// What one group leaves; its files' pages, which it would drop, count as free.
std::uint64_t free_in(const fs::path& group, const Version& version) {
  std::uint64_t most = 0;
  std::uint64_t used = 0;
  std::ifstream limit(group / version.limit);
  std::ifstream usage(group / version.usage);
  if (!(limit >> most) || !(usage >> used)) return kNoLimit;  // "max", or no such group
  std::uint64_t dropped = 0;
  for (const char* pages : {"active_file", "inactive_file"}) {
    dropped += entry(group / "memory.stat", std::string(version.stat_prefix) + pages).value_or(0);
  }
  return most - std::min(most, used - std::min(used, dropped));
}

// Of the process's group and of all above it. A container may see its own as the topmost.
std::uint64_t free_in_groups(const MemoryFiles& files, const Version& version) {
  fs::path group = files.groups / version.folder;
  std::uint64_t least = free_in(group, version);
  std::ifstream list(files.proc / "self/cgroup");
  for (std::string line; std::getline(list, line);) {
    const auto begin = line.find(version.line);
    if (begin != line.find(':')) continue;
    for (const fs::path& part : fs::path(line.substr(begin + version.line.size()))) {
      group /= part;
      least = std::min(least, free_in(group, version));
    }
    break;
  }
  return least;
}

std::uint64_t free_addresses(const MemoryFiles& files) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kNoLimit;
  std::uint64_t pages = 0;
  std::ifstream(files.proc / "self/statm") >> pages;
  const std::uint64_t used = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return limit.rlim_cur - std::min<std::uint64_t>(limit.rlim_cur, used);
}

}  // namespace

std::uint64_t free_memory(const MemoryFiles& files) {
  if (const auto available = entry(files.proc / "meminfo", "MemAvailable:")) {
    return std::min({*available * 1024, free_in_groups(files, kOne), free_in_groups(files, kTwo)});
  }
  const long pages = ::sysconf(_SC_AVPHYS_PAGES);
  const long page = ::sysconf(_SC_PAGESIZE);
  return pages <= 0 || page <= 0 ? 0 : static_cast<std::uint64_t>(pages) * page;
}

std::uint64_t memory_at_hand(const MemoryFiles& files) {
  return std::min(free_memory(files) + kib(files, "SwapFree:"), free_addresses(files));
}

}  // namespace millrace
