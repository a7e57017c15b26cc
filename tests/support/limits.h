#pragma once

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <exception>
#include <fstream>
#include <stdexcept>

// Ways to make the system refuse what it usually grants, and back.

namespace millrace::test {

/// While it lives no file of this process can grow past `bytes`: a write that would fails with
/// EFBIG, as one on a full disk fails with ENOSPC.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : old_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    if (::getrlimit(RLIMIT_FSIZE, &old_) != 0) throw std::runtime_error("getrlimit failed");
    const rlimit small{.rlim_cur = bytes, .rlim_max = old_.rlim_max};
    if (::setrlimit(RLIMIT_FSIZE, &small) != 0) throw std::runtime_error("setrlimit failed");
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, old_handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  void (*old_handler_)(int);
  rlimit old_{};
};

/// While it lives the system grants two more threads (one under ThreadSanitizer), and refuses the
/// next: their stacks are large, and memory ends.
class TwoMoreThreads {
 public:
  TwoMoreThreads() {
    constexpr rlim_t kStack = rlim_t{256} << 20U;
    std::ifstream statm("/proc/self/statm");
    rlim_t pages = 0;
    if (!(statm >> pages) || ::getrlimit(RLIMIT_AS, &old_limit_) != 0 ||
        ::pthread_getattr_default_np(&old_) != 0) {
      throw std::runtime_error("the process's limits cannot be read");
    }
    const auto now = pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
    const rlimit limit{.rlim_cur = now + 5 * kStack / 2, .rlim_max = old_limit_.rlim_max};
    pthread_attr_t large = old_;
    if (::pthread_attr_setstacksize(&large, kStack) != 0 ||
        ::pthread_setattr_default_np(&large) != 0 || ::setrlimit(RLIMIT_AS, &limit) != 0) {
      throw std::runtime_error("the process cannot be limited");
    }
  }
  ~TwoMoreThreads() {
    ::setrlimit(RLIMIT_AS, &old_limit_);
    ::pthread_setattr_default_np(&old_);
  }
  TwoMoreThreads(const TwoMoreThreads&) = delete;
  TwoMoreThreads& operator=(const TwoMoreThreads&) = delete;

 private:
  rlimit old_limit_{};
  pthread_attr_t old_{};
};

/// Permissions mean nothing to root: while this lives a test run by root acts as nobody.
class WithoutRoot {
 public:
  WithoutRoot() : was_root_(::geteuid() == 0) {
    constexpr uid_t kNobody = 65534;
    if (was_root_ && ::seteuid(kNobody) != 0) throw std::runtime_error("seteuid failed");
  }
  ~WithoutRoot() {
    if (was_root_ && ::seteuid(0) != 0) std::terminate();
  }
  WithoutRoot(const WithoutRoot&) = delete;
  WithoutRoot& operator=(const WithoutRoot&) = delete;

 private:
  bool was_root_;
};

}  // namespace millrace::test
