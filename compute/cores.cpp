#include "compute/cores.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif

namespace millrace {
namespace {

namespace fs = std::filesystem;

std::optional<double> ratio(double quota, double period) {
  if (!(quota > 0.0) || !(period > 0.0)) return std::nullopt;  // -1 is no quota
  return quota / period;
}

// Version 2: "200000 100000" or "max 100000", in microseconds.
std::optional<double> quota_of_unified(const fs::path& group) {
  std::ifstream file(group / "cpu.max");
  double quota = 0.0;
  double period = 0.0;
  if (!(file >> quota >> period)) return std::nullopt;
  return ratio(quota, period);
}

// Version 1.
std::optional<double> quota_of_cpu(const fs::path& group) {
  double quota = 0.0;
  double period = 0.0;
  if (!(std::ifstream(group / "cpu.cfs_quota_us") >> quota)) return std::nullopt;
  if (!(std::ifstream(group / "cpu.cfs_period_us") >> period)) return std::nullopt;
  return ratio(quota, period);
}

// The least of a group and those it lies in. A container may see its own group as the outermost
// one, under the name that it has outside: what is not there is passed over.
template <class QuotaOf>
std::optional<double> least(const fs::path& mount, const fs::path& group, QuotaOf quota_of) {
  std::optional<double> least;
  fs::path at = group.relative_path();
  while (true) {
    if (const auto quota = quota_of(mount / at)) least = std::min(*quota, least.value_or(*quota));
    if (at.empty()) return least;
    at = at.parent_path();
  }
}

std::uint32_t cores_to_run_on() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    return static_cast<std::uint32_t>(std::max(1, CPU_COUNT(&set)));
  }
#endif
  return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace

std::optional<double> core_quota(const fs::path& root) {
  const fs::path mount = root / "sys/fs/cgroup";
  // Lines of "number:controllers:group"; version 2 has number 0 and no controllers.
  std::ifstream groups(root / "proc/self/cgroup");
  std::optional<double> quota;
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const fs::path group = line.substr(second + 1);
    std::optional<double> found;
    if (controllers.empty()) {
      found = least(mount, group, quota_of_unified);
    } else if ((',' + controllers + ',').find(",cpu,") != std::string::npos) {
      found = least(mount / controllers, group, quota_of_cpu);
    }
    if (found) quota = std::min(*found, quota.value_or(*found));
  }
  return quota;
}

std::uint32_t available_cores() {
  const std::uint32_t cores = cores_to_run_on();
  const auto quota = core_quota();
  return quota && *quota < cores ? static_cast<std::uint32_t>(std::ceil(*quota)) : cores;
}

}  // namespace millrace
