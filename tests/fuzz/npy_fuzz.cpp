// Any bytes are an npy or npz file or a DataError. The first byte chooses what the others are: an
// npz file; the samples of a sound one, stored or deflated; its labels, which are targets; or the
// header's text and, behind its last '}', the elements of such samples or labels, with all lengths
// put right.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "tests/fuzz/opened.h"
#include "tests/support/npy_files.h"

namespace {

using millrace::test::ByteVector;

ByteVector npz_of(ByteVector samples, bool deflated) {
  using namespace millrace::test;
  return zip_of(
      {{"x.npy", std::move(samples), deflated, false}, {"y.npy", npy_labels(2, 2), false, true}});
}

ByteVector with_header(std::string_view text) {
  const auto length = text.find_last_of('}') + 1;
  std::string file("\x93NUMPY\x01\x00", 8);
  file += static_cast<char>(length & 0xffU);
  file += static_cast<char>(length >> 8U);
  file += text;
  return millrace::test::make_bytes(file);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace millrace;
  static const test::OpenedFile file("x.npz");
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto rest = test::make_bytes(text);
  if (data[0] == 'z') file.open(rest);
  if (data[0] == 's') file.open(npz_of(rest, false));
  if (data[0] == 'd') file.open(npz_of(rest, true));
  if (data[0] == 't') {
    const auto file_of = [](ByteVector labels) {
      return test::zip_of({{"x.npy", test::npy_images(2), false, true},
                           {"y.npy", std::move(labels), false, false}});
    };
    file.open(file_of(rest), {.task = Task::kRegression});
    file.open(file_of(with_header(text)), {.task = Task::kRegression});
  }
  if (data[0] == 'h') file.open(npz_of(with_header(text), false));
  return 0;
}
