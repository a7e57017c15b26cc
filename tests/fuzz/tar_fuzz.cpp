// Any bytes are a WebDataset shard or a DataError. After a first byte of 1 the checksum of each
// header is put right, which a fuzzer would not come by.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <span>

#include "formats/tar.h"
#include "tests/fuzz/opened.h"

namespace {

using millrace::kTarBlock;

/// Every block that begins as a header may be one.
void put_checksums(std::span<std::byte> archive) {
  constexpr std::size_t kAt = 148;
  constexpr std::size_t kBytes = 8;
  constexpr std::size_t kMagicAt = 257;
  for (; archive.size() >= kTarBlock; archive = archive.subspan(kTarBlock)) {
    if (std::memcmp(archive.data() + kMagicAt, "ustar", 5) != 0) continue;
    std::memset(archive.data() + kAt, ' ', kBytes);
    unsigned sum = 0;
    for (const auto byte : archive.first(kTarBlock)) sum += std::to_integer<unsigned>(byte);
    char text[kBytes];
    (void)std::snprintf(text, sizeof text, "%06o", sum);
    std::memcpy(archive.data() + kAt, text, kBytes - 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace millrace;
  static const test::OpenedFile file("x.tar");
  if (size == 0) return 0;
  const auto rest = std::as_bytes(std::span(data, size)).subspan(1);
  test::ByteVector archive(rest.begin(), rest.end());
  if (data[0] == 1) put_checksums(archive);
  // Small: what images there are may say that they are large.
  file.open(archive, {.image = {.resize = ImageSize{4, 4}}});
  return 0;
}
