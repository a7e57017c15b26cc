// Any text is a manifest of shards, which comes back as it was written, or a DataError.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "formats/error.h"
#include "formats/shard_manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace millrace;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto manifest = parse_manifest("fuzz", text);
    std::uint64_t samples = 0;
    for (const auto& shard : manifest.train.shards) {
      samples += shard.samples;
      if (shard.images.name.find('/') != std::string::npos) std::abort();
    }
    if (samples != manifest.train.samples) std::abort();
    if (parse_manifest("again", render_manifest(manifest)) != manifest) std::abort();
  } catch (const DataError&) {
  }
  try {
    const auto shard = parse_shard("fuzz", text);
    if (parse_shard("again", render_shard(shard)) != shard) std::abort();
  } catch (const DataError&) {
  }
  return 0;
}
