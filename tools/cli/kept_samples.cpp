#include "tools/cli/kept_samples.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace millrace {

void leave_out(const std::vector<IdxFault>& faults, std::vector<bool>& kept) {
  for (const auto& fault : faults) {
    for (std::uint64_t i = 0; i < fault.samples.count; ++i) {
      const auto sample = static_cast<std::size_t>(fault.samples.first + i);
      if (sample < kept.size()) kept[sample] = false;
    }
  }
}

void append_kept(const SalvagedIdx& source, const std::vector<bool>& kept,
                 SeekableIdxWriter& writer) {
  const auto& header = *source.header();
  const std::uint32_t count = header.dims.empty() ? 1 : header.dims.front();
  const auto sample_bytes = static_cast<std::size_t>(idx_data_bytes(header) / std::max(1U, count));
  source.read([&](std::uint64_t first, std::span<const std::byte> bytes) {
    const auto samples = bytes.size() / sample_bytes;
    const auto is_kept = [&](std::size_t i) {
      const auto sample = static_cast<std::size_t>(first) + i;
      return sample < kept.size() && kept[sample];
    };
    for (std::size_t i = 0; i < samples;) {  // runs of samples go on as one
      auto end = i;
      while (end < samples && is_kept(end)) ++end;
      writer.append(bytes.subspan(i * sample_bytes, (end - i) * sample_bytes));
      i = end + 1;
    }
  });
}

}  // namespace millrace
