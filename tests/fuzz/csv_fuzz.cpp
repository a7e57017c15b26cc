// Any bytes are a CSV file or a DataError. Labels are in the second column after a first byte of
// 1, and all is text behind that byte.
#include <cstdint>
#include <span>

#include "tests/fuzz/opened.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace millrace;
  static const test::OpenedFile file("x.csv");
  if (size == 0) return 0;
  file.open(std::as_bytes(std::span(data, size)).subspan(1),
            {.label_column = data[0] == 1 ? "2" : ""});
  return 0;
}
