// Any bytes are a safetensors file or a DataError. After a first byte of '{' the header's length is
// put right, so that the JSON behind it is looked at: up to its last '}', what follows is data.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "formats/error.h"
#include "formats/safetensors.h"
#include "formats/safetensors_header.h"
#include "tests/support/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace millrace;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string bytes(text);
  if (text.starts_with('{')) {
    const std::uint64_t length = text.find_last_of('}') + 1;
    bytes.insert(0, reinterpret_cast<const char*>(&length), sizeof(length));
  }
  const test::MemoryFile memory(std::as_bytes(std::span(bytes)));
  try {
    const SafetensorsFile file(memory.path());
    for (const auto& tensor : file.tensors()) {
      if (tensor.data.size() != tensor_bytes(tensor.dtype, tensor.shape)) std::abort();
      if (file.find(tensor.name) != &tensor) std::abort();
    }
    // Reads every byte, and nothing outside.
    if (integrity_hash(file.tensors(), file.metadata()).size() != 32) std::abort();
  } catch (const DataError&) {
  }
  return 0;
}
