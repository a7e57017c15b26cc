// Any bytes are a file with a seek table, one without, or a DataError. After a first byte of 1 the
// others are entries of a table: the sizes around them are put right, so that the entries are
// looked at, in front of frames of which some are sound.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "formats/error.h"
#include "formats/seek_table.h"
#include "formats/seekable_zstd.h"
#include "tests/support/compressed.h"

namespace {

using namespace millrace;

// Two sound frames, and a third that decodes to more than it should.
const test::ByteVector& frames() {
  static const test::ByteVector made =
      test::joined({test::zstd_frame(test::ByteVector(100)), test::zstd_frame(test::ByteVector(7)),
                    test::zstd_skippable(2, 3),
                    test::zstd_frame(test::ByteVector(70'000), {.content_size = false})});
  return made;
}

test::ByteVector with_entries(std::span<const std::byte> entries) {
  SeekTable table;
  for (; entries.size() >= 4; entries = entries.subspan(4)) {
    // Small numbers, which a fuzzer would have to find by chance among 32 bits.
    const auto value = [&](std::size_t i) { return std::to_integer<std::uint32_t>(entries[i]); };
    table.add(value(0), value(1) << (value(2) % 24), value(3));
  }
  return test::joined({frames(), table.encode()});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto rest = std::as_bytes(std::span(data, size)).subspan(1);
  const auto file = data[0] == 1 ? with_entries(rest) : test::ByteVector(rest.begin(), rest.end());
  const std::filesystem::path path("fuzz");
  try {
    const auto table = read_seek_table(path, file);
    if (!table) return 0;
    std::uint64_t stored = 0;
    std::uint64_t content = 0;
    FrameDecoder decoder;
    for (std::size_t i = 0; i < table->frames().size(); ++i) {
      const auto& frame = table->frames()[i];
      if (frame.stored_at != stored || frame.content_at != content) std::abort();
      stored += frame.stored;
      content += frame.content;
      if (stored > file.size()) std::abort();
      if (frame.content > 1U << 20U) continue;
      std::vector<std::byte> out(frame.content);
      try {
        decoder.decode({path, file, *table}, i, out);
      } catch (const DataError&) {
      }
    }
    if (stored != table->stored_size() || content != table->content_size()) std::abort();
    if (content > 0 &&
        content - 1 < table->frames()[table->frame_holding(content - 1)].content_at) {
      std::abort();
    }
  } catch (const DataError&) {
  }
  return 0;
}
