#pragma once

#if defined(__linux__)
#include <pthread.h>
#endif

#include <thread>

namespace millrace {

/// What debuggers, profilers and traces call a thread, in at most 15 characters; where a system has
/// no such names, nothing.
inline void name_thread([[maybe_unused]] std::thread::native_handle_type thread,
                        [[maybe_unused]] const char* name) noexcept {
#if defined(__linux__)
  pthread_setname_np(thread, name);
#endif
}

}  // namespace millrace
