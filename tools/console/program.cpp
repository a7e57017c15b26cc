#include "tools/console/program.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>

#include "compute/engine.h"
#include "formats/error.h"
#include "tools/console/console.h"
#include "tools/console/lost_file.h"
#include "tools/console/output.h"
#include "tools/console/usage_error.h"
#include "train/trainer.h"

namespace millrace {
namespace {

int told(const std::string& program, const std::string& message, ExitStatus status) {
  Console(program, true).error(message);
  return status;
}

// Where a caller has closed one of them, the next file to be opened would take its number, and what
// is printed would go into that file. What stands there instead fails with EBADF, as a closed one.
void occupy_standard_files() noexcept {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) != -1 || errno != EBADF) continue;
    // The lowest free number is this one.
    (void)::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

}  // namespace

int run_program(const std::string& program, const std::function<int()>& body) {
  occupy_standard_files();
  end_for_lost_files(program, kFailed);
  // Told by write(), see Output; so are files that grow too large.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    return body();
  } catch (const UsageError& error) {
    return told(program, std::string(error.what()) + " (see " + program + " --help)", kUsage);
  } catch (const DivergedError& error) {
    return told(program, error.what(), kDiverged);
  } catch (const DataError& error) {
    return told(program, error.what(), kFailed);
  } catch (const DeviceError& error) {
    return told(program, error.what(), kFailed);
  } catch (const std::invalid_argument& error) {
    // A library's word for options that do not go with the data.
    return told(program, std::string(error.what()) + " (see " + program + " --help)", kUsage);
  } catch (const std::system_error& error) {
    // What threads say where the system refuses another one.
    const bool refused = error.code() == std::errc::resource_unavailable_try_again;
    return told(program, (refused ? "cannot start a thread: " : "") + std::string(error.what()),
                kFailed);
  } catch (const std::bad_alloc&) {
    return told(program, "there is not enough memory", kFailed);
  } catch (const std::exception& error) {
    return told(program, error.what(), kFailed);
  }
}

int print(std::string_view text) {
  Output output(STDOUT_FILENO);
  output.write(text);
  if (output.error() == 0 || output.error() == EPIPE) return kDone;
  throw io_error("standard output", "write", output.error());
}

}  // namespace millrace
