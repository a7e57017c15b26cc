#include "tools/console/lost_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <system_error>

namespace millrace {
namespace {

// A handler sees nothing but statics.
std::string program_begin;  // NOLINT(cert-err58-cpp): empty
int exit_status = 1;

constexpr std::string_view kUnknown = "a file that was being read";
constexpr std::string_view kEnd =
    " has become shorter, or its disk fails; what was saved before is whole\n";

// A path is shorter than 4 KiB, what stands before it in a line than 100 bytes.
constexpr std::size_t kLongestLine = 8192;

// Of a file that a signal's handler looks into, with what a handler may call.
class Lines {
 public:
  Lines() : file_(::open("/proc/self/maps", O_RDONLY | O_CLOEXEC)) {}
  ~Lines() {
    if (file_ >= 0) ::close(file_);
  }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;

  /// Without its end, and good until the next call; empty behind the last.
  std::string_view next() noexcept {
    std::memmove(text_.data(), text_.data() + taken_, held_ - taken_);
    held_ -= taken_;
    taken_ = 0;
    for (;;) {
      const std::string_view held(text_.data(), held_);
      const auto end = held.find('\n');
      if (end != std::string_view::npos) {
        taken_ = end + 1;
        return held.substr(0, end);
      }
      const ssize_t got = ::read(file_, text_.data() + held_, text_.size() - held_);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return {};
      held_ += static_cast<std::size_t>(got);
    }
  }

 private:
  int file_;
  std::array<char, kLongestLine> text_{};
  std::size_t held_ = 0;
  std::size_t taken_ = 0;
};

extern "C" void on_lost_page(int signal, siginfo_t* info, void* /*context*/) {
  if (info->si_code != BUS_ADRERR) {
    std::signal(signal, SIG_DFL);  // another fault, which comes again
    return;
  }
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  std::string_view file;
  Lines lines;
  for (auto line = lines.next(); !line.empty(); line = lines.next()) {
    file = file_mapped_at(address, line);
    if (!file.empty()) break;
  }
  // One write, so that nobody else's words come between.
  std::array<char, kLongestLine + 512> text{};
  std::size_t size = 0;
  for (const std::string_view part :
       {std::string_view(program_begin), file.empty() ? kUnknown : file, kEnd}) {
    const auto length = std::min(part.size(), text.size() - size);
    std::memcpy(text.data() + size, part.data(), length);
    size += length;
  }
  (void)!::write(STDERR_FILENO, text.data(), size);
  ::_exit(exit_status);
}

}  // namespace

std::string_view file_mapped_at(std::uintptr_t address, std::string_view line) noexcept {
  // 7f1c2a000000-7f1c2a021000 r--p 00000000 fd:00 1311754     /data/train-images-idx3-ubyte
  constexpr int kHexadecimal = 16;
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  const char* last = line.data() + line.size();
  const auto [dash, error] = std::from_chars(line.data(), last, begin, kHexadecimal);
  if (error != std::errc{} || dash == last || *dash != '-') return {};
  const auto [rest, later] = std::from_chars(dash + 1, last, end, kHexadecimal);
  if (later != std::errc{} || address < begin || address >= end) return {};
  line = line.substr(static_cast<std::size_t>(rest - line.data()));
  const auto path = line.find('/');
  return path == std::string_view::npos ? std::string_view() : line.substr(path);
}

void end_for_lost_files(const std::string& program, int status) {
  program_begin = program + ": ";
  exit_status = status;
  struct sigaction action {};
  action.sa_sigaction = on_lost_page;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGBUS, &action, nullptr);
}

}  // namespace millrace
