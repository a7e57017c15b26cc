#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>
#include <utility>

#include "formats/file_descriptor.h"

namespace millrace::test {

/// A file that is only in memory, for the readers that want a path: thousands a second.
class MemoryFile {
 public:
  explicit MemoryFile(std::span<const std::byte> bytes)
      : file_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    // Without its input a fuzzer would report success for nothing.
    if (!file_ || !std::cmp_equal(::write(file_.get(), bytes.data(), bytes.size()), bytes.size())) {
      std::abort();
    }
  }

  std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(file_.get()); }

 private:
  FileDescriptor file_;
};

}  // namespace millrace::test
