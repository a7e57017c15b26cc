// Any bytes are a Parquet file, of a table or of images, or a DataError. The first byte says what
// is asked of it; behind one of 128 or more stands the file. Behind others stands what the footer
// says and then all columns, which are put together to a file: a fuzzer would not come by its
// length.
#include <cstdint>
#include <span>

#include "formats/thrift.h"
#include "tests/fuzz/opened.h"

namespace {

using namespace millrace;

test::ByteVector file_of(std::span<const std::byte> input) {
  static const std::filesystem::path name("footer");
  std::size_t footer = input.size();
  try {
    ThriftReader in(name, input, 0);
    in.read_struct([&in](std::int16_t /*id*/, ThriftReader::Type type) { in.skip(type); });
    footer = in.consumed();
  } catch (const DataError&) {
    // All of it is one that breaks off.
  }
  const auto magic = test::make_bytes("PAR1");
  test::ByteVector length;
  for (unsigned shift = 0; shift < 32; shift += 8)
    length.push_back(static_cast<std::byte>(footer >> shift));
  return test::joined({magic, input.subspan(footer), input.first(footer), length, magic});
}

OpenOptions options_of(unsigned asked) {
  OpenOptions options;
  switch (asked) {
    case 1:
      options.label_column = "2";
      break;
    case 2:
      options.task = Task::kRegression;
      break;
    case 3:
      options.task = Task::kRegression;
      options.label_column = "2,1";
      break;
    case 4:
      options.label_column = "1";
      options.table = {.one_hot = {"text"}, .fill_missing = true};
      break;
    case 5:
      options.label_column = "1";
      options.table = {.one_hot = {"2"}, .dropped = {"3"}};
      break;
    case 6:  // small: what images there are may say that they are large
      options.image = {.resize = ImageSize{4, 4}};
      break;
    case 7:
      options.image = {.resize = ImageSize{4, 4}, .channels = ImageChannels::kGray};
      options.tolerant = true;
      break;
    default:
      break;
  }
  return options;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const test::OpenedFile file("x.parquet");
  if (size == 0) return 0;
  const auto rest = std::as_bytes(std::span(data, size)).subspan(1);
  const auto options = options_of(data[0] % 128U);
  if (data[0] >= 128) {
    file.open(rest, options);
  } else {
    file.open(file_of(rest), options);
  }
  return 0;
}
