#include "tools/console/program.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <exception>
#include <filesystem>
#include <new>
#include <stdexcept>

#include "compute/engine.h"
#include "formats/error.h"
#include "tools/console/console.h"
#include "tools/console/output.h"
#include "tools/console/usage_error.h"
#include "train/trainer.h"

namespace millrace {
namespace {

int told(const std::string& program, const std::string& message, ExitStatus status) {
  Console(program, true).error(message);
  return status;
}

}  // namespace

int run_program(const std::string& program, const std::function<int()>& body) {
  std::signal(SIGPIPE, SIG_IGN);  // told by write(), see Output
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
