#pragma once

#include <cxxabi.h>
#include <pybind11/pybind11.h>
#include <unistd.h>

#include <chrono>

namespace millrace::python {

/// So soon a signal (Ctrl-C) is seen by who waits: the longest that it waits without a look.
inline constexpr std::chrono::milliseconds kLook{100};

/// Calls into the interpreter, which before Python 3.14 ends threads that still want it when it
/// goes, as daemon threads do. To unwind C++ from there is to end the process by an abort, so such
/// a thread stays here, as from Python 3.14 on, until the process has ended.
template <typename Call>
auto outlast(Call&& call) {
  try {
    return call();
  } catch (const abi::__forced_unwind&) {
    while (true) pause();
  }
}

/// While it lives other Python threads may run: pybind11's gil_scoped_release, but a thread that
/// the interpreter's end meets there does no harm.
class OthersRun {
 public:
  OthersRun() : thread_(PyEval_SaveThread()) {}
  ~OthersRun() {
    outlast([this] { PyEval_RestoreThread(thread_); });
  }
  OthersRun(const OthersRun&) = delete;
  OthersRun& operator=(const OthersRun&) = delete;

 private:
  PyThreadState* const thread_;
};

}  // namespace millrace::python
