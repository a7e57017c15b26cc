#include "tools/console/process_usage.h"

#include <sys/resource.h>
#include <time.h>  // NOLINT(modernize-deprecated-headers): clock_gettime is POSIX's
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace millrace {
namespace {

double seconds_of(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Before main() there is only the loading of libraries, which is nearly all computing.
const double before_main = seconds_of(CLOCK_BOOTTIME);                     // NOLINT(cert-err58-cpp)
const double computed_before_main = seconds_of(CLOCK_PROCESS_CPUTIME_ID);  // NOLINT(cert-err58-cpp)

// proc(5): field 22 of /proc/self/stat, in clock ticks after boot; negative if it cannot be had.
double start_tick() {
  std::ifstream file("/proc/self/stat");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::size_t name_end = text.rfind(')');  // field 2 may contain blanks
  if (name_end == std::string::npos) return -1.0;
  std::istringstream fields(text.substr(name_end + 1));
  std::string field;
  for (int i = 3; i < 22; ++i) fields >> field;
  double ticks = -1.0;
  fields >> ticks;
  return fields ? ticks : -1.0;
}

double start_time() {
  const double estimate = before_main - computed_before_main;
  const auto per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const double tick = start_tick();
  if (tick < 0.0 || per_second <= 0.0) return estimate;
  // The kernel's time is when the process began, long ago if a script took minutes before it
  // exec()ed the program.
  return std::min(std::max(estimate, tick / per_second), before_main);
}

}  // namespace

double seconds_since_start() {
  static const double start = start_time();
  return seconds_of(CLOCK_BOOTTIME) - start;
}

double peak_rss_mb() {
  // proc(5). Not getrusage(): its figure may be that of the process that started this one.
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("VmHWM:")) continue;
    std::istringstream fields(line.substr(sizeof("VmHWM:") - 1));
    double kib = 0.0;
    if (fields >> kib) return kib / 1024.0;
  }
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;  // KiB on Linux
}

}  // namespace millrace
