#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <memory>

namespace millrace {

/// Drops what `process` made. In a fork of it there are no threads to end and locks that nobody
/// opens: what belongs to them stays as it is.
template <typename T>
void drop(std::unique_ptr<T>& owned, pid_t process) {
  if (getpid() != process) static_cast<void>(owned.release());
  owned.reset();
}

}  // namespace millrace
