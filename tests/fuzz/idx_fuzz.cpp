// Any bytes are an IDX file or a DataError. The first byte chooses what the others are: the file
// itself, or the content of a sound gzip or zstd file, which a fuzzer would not come by.
#include <cstdint>
#include <cstdlib>
#include <span>

#include "formats/error.h"
#include "formats/idx.h"
#include "tests/support/compressed.h"
#include "tests/support/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace millrace;
  if (size == 0) return 0;
  const auto rest = std::as_bytes(std::span(data, size)).subspan(1);
  const auto bytes = data[0] == 1   ? test::gzip_member(rest)
                     : data[0] == 2 ? test::zstd_frame(rest, {.content_size = false})
                                    : test::ByteVector(rest.begin(), rest.end());
  const test::MemoryFile file(bytes);
  try {
    const auto array = read_idx(file.path());
    std::uint64_t elements = 1;
    for (const auto dim : array.dims()) elements *= dim;
    if (array.data().size() != elements * size_of(array.dtype())) std::abort();
    unsigned sum = 0;
    for (const auto byte : array.data()) sum += std::to_integer<unsigned>(byte);
    [[maybe_unused]] static volatile unsigned sink;
    sink = sum;  // every byte is read
  } catch (const DataError&) {
  }
  return 0;
}
