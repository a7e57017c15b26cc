// Any bytes are a config file or a UsageError of one line.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "tests/support/memory_file.h"
#include "tools/console/config_file.h"
#include "tools/console/usage_error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace millrace;
  const test::MemoryFile file(std::as_bytes(std::span(data, size)));
  try {
    std::size_t line = 0;
    for (const auto& entry : read_config(file.path())) {
      if (entry.key.empty() || entry.line <= line) std::abort();
      line = entry.line;
    }
  } catch (const UsageError& error) {
    if (std::string(error.what()).find('\n') != std::string::npos) std::abort();
  }
  return 0;
}
