// Any bytes are a CSV file or a DataError. Labels are in the second column after a first byte of
// 1; they are targets after 2, in the third and the first column after 3; after 4 to 6 they are in
// the first one, and columns are of categories, left out or filled in; and all is text behind that
// byte.
#include <cstdint>
#include <span>

#include "tests/fuzz/opened.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace millrace;
  static const test::OpenedFile file("x.csv");
  if (size == 0) return 0;
  OpenOptions options;
  if (data[0] == 1) options.label_column = "2";
  if (data[0] == 2 || data[0] == 3) options.task = Task::kRegression;
  if (data[0] == 3) options.label_column = "3,1";
  if (data[0] >= 4 && data[0] <= 6) options.label_column = "1";
  if (data[0] == 4) options.table = {.one_hot = {"text"}, .fill_missing = true};
  if (data[0] == 5) options.table = {.one_hot = {"2"}, .dropped = {"3"}};
  if (data[0] == 6) options.table = {.dropped = {"2"}, .fill_missing = true};
  file.open(std::as_bytes(std::span(data, size)).subspan(1), options);
  return 0;
}
