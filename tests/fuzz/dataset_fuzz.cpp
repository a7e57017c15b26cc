// Any bytes are a safetensors file with images and labels, or a DataError. After a first byte of
// '{' the header's length is put right, as safetensors_fuzz.cpp does.
#include <cstdint>
#include <span>
#include <string>

#include "tests/fuzz/opened.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace millrace;
  static const test::OpenedFile file("x.safetensors");
  std::string bytes(reinterpret_cast<const char*>(data), size);
  if (bytes.starts_with('{')) {
    const std::uint64_t length = bytes.find_last_of('}') + 1;
    bytes.insert(0, reinterpret_cast<const char*>(&length), sizeof(length));
  }
  file.open(std::as_bytes(std::span(bytes)));
  return 0;
}
