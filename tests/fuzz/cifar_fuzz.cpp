// Any bytes are a file of CIFAR-10 or, after a first byte of 1, CIFAR-100, or a DataError. Behind
// that byte stand labels; each gets its picture, unless the first byte is above 1.
#include <cstdint>
#include <span>

#include "formats/cifar.h"
#include "tests/fuzz/opened.h"
#include "tests/support/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace millrace;
  if (size == 0) return 0;
  const auto kind = (data[0] & 1U) != 0 ? CifarKind::kCifar100 : CifarKind::kCifar10;
  const auto rest = std::as_bytes(std::span(data, size)).subspan(1);
  test::ByteVector bytes(rest.begin(), rest.end());
  if (data[0] < 2) {
    constexpr std::size_t kPicture = 3072;
    const std::size_t head = kind == CifarKind::kCifar10 ? 1 : 2;
    bytes.clear();
    for (std::size_t at = 0; at < rest.size() && bytes.size() < 64 * kPicture; at += head) {
      const auto labels = rest.subspan(at, std::min(head, rest.size() - at));
      bytes.insert(bytes.end(), labels.begin(), labels.end());
      bytes.resize(bytes.size() + kPicture, labels[0]);
    }
  }
  const test::MemoryFile file(bytes);
  try {
    const CifarDataset opened(kind, {file.path()});
    test::read_all(opened);
    if (opened.hash().size() != 32) std::abort();
  } catch (const DataError&) {
  }
  return 0;
}
