#include "tools/console/stop_signals.h"

#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigaction is POSIX's
#include <unistd.h>

#include <array>
#include <cstdint>
#include <ctime>

namespace millrace {
namespace {

constexpr std::array<int, 3> kSignals{SIGINT, SIGTERM, SIGHUP};
constexpr int kStatusBase = 128;
constexpr std::int64_t kOneWish = 1'000'000'000;  // nanoseconds

// A handler sees nothing but statics, and may touch lock-free ones only.
std::atomic<bool> flag_set{false};
std::atomic<int> first_signal{0};
std::atomic<std::int64_t> first_time{0};  // 0: not known yet
std::atomic<bool> ends_at_once{false};
std::atomic<const char*> program_name{""};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free &&
              std::atomic<std::int64_t>::is_always_lock_free &&
              std::atomic<const char*>::is_always_lock_free);

std::array<struct sigaction, kSignals.size()> previous{};

const char* signal_name(int signal) noexcept {
  switch (signal) {
    case SIGINT:
      return "SIGINT";
    case SIGTERM:
      return "SIGTERM";
    case SIGHUP:
      return "SIGHUP";
    default:
      return "a signal";
  }
}

// One write, of no allocated memory: all that a handler may do.
void say_last_words(int signal) {
  std::array<char, 160> line{};
  std::size_t size = 0;
  for (const char* part : {program_name.load(), ": stopped by ", signal_name(signal),
                           " before there was anything to save\n"}) {
    while (*part != '\0' && size < line.size()) line[size++] = *part++;
  }
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), size);
}

// Never 0.
std::int64_t now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec + 1;
}

extern "C" void on_signal(int signal) {
  if (ends_at_once.load()) {
    say_last_words(signal);
    ::_exit(kStatusBase + signal);
  }
  int none = 0;
  if (first_signal.compare_exchange_strong(none, signal)) {
    first_time.store(now());
    flag_set.store(true);
    return;
  }
  const auto first = first_time.load();
  if (first == 0 || now() - first < kOneWish) return;
  // It stays blocked until the handler returns, and then ends the process.
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

}  // namespace

StopSignals::StopSignals(First first, const char* program) {
  program_name.store(program);
  flag_set.store(false);
  first_signal.store(0);
  first_time.store(0);
  set(first);
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    struct sigaction action {};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(kSignals[i], nullptr, &previous[i]);
    // Shells start background jobs with SIGINT ignored; whoever sends it all the same means it.
    if (kSignals[i] == SIGHUP && previous[i].sa_handler == SIG_IGN) continue;
    ::sigaction(kSignals[i], &action, nullptr);
  }
}

StopSignals::~StopSignals() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    ::sigaction(kSignals[i], &previous[i], nullptr);
  }
}

void StopSignals::set(First first) noexcept { ends_at_once.store(first == First::kEndsAtOnce); }

const std::atomic<bool>& StopSignals::flag() const noexcept { return flag_set; }

int StopSignals::received() const noexcept { return first_signal.load(); }

std::string StopSignals::text() const {
  return std::string("stopped by ") + signal_name(received());
}

int StopSignals::status() const noexcept { return kStatusBase + received(); }

}  // namespace millrace
