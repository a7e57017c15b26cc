#include "formats/file_descriptor.h"

#include <unistd.h>

namespace millrace {

void FileDescriptor::reset() noexcept {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

}  // namespace millrace
