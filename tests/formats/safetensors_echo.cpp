// For safetensors_interop_test.py: what Millrace reads, and what it writes of it.
//
//     safetensors_echo copy IN OUT      reads IN, writes the same tensors and metadata to OUT
//     safetensors_echo check FILE...    a line for each file: "ok", or the error
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <span>
#include <string_view>

#include "formats/error.h"
#include "formats/safetensors.h"

namespace {

int copy(const char* from, const char* to) {
  const millrace::SafetensorsFile file(from);
  millrace::write_safetensors(to, file.tensors(), file.metadata());
  return 0;
}

int check(std::span<char*> files) {
  for (const char* file : files) {
    try {
      const millrace::SafetensorsFile opened(file);
      fmt::print("ok\n");
    } catch (const millrace::DataError& error) {
      fmt::print("{}\n", error.what());
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::span<char*> arguments(argv, static_cast<std::size_t>(argc));
  try {
    if (argc == 4 && std::string_view(argv[1]) == "copy") return copy(argv[2], argv[3]);
    if (argc > 2 && std::string_view(argv[1]) == "check") return check(arguments.subspan(2));
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
  fmt::print(stderr, "safetensors_echo copy IN OUT | check FILE...\n");
  return 2;
}
