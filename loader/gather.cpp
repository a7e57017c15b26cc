#include "loader/gather.h"

#include <cstring>

namespace millrace {

void gather_rows(std::span<const std::byte> table, std::size_t row_bytes,
                 std::span<const std::uint64_t> ids, std::span<std::byte> out) noexcept {
  const std::size_t ahead = prefetch_distance(row_bytes);
  const std::byte* const rows = table.data();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (i + ahead < ids.size()) prefetch_row(rows + ids[i + ahead] * row_bytes, row_bytes);
    std::memcpy(out.data() + i * row_bytes, rows + ids[i] * row_bytes, row_bytes);
  }
}

void gather_labels(std::span<const std::int32_t> table, std::span<const std::uint64_t> ids,
                   std::span<std::int32_t> out) noexcept {
  for (std::size_t i = 0; i < ids.size(); ++i) out[i] = table[ids[i]];
}

}  // namespace millrace
