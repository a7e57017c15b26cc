#include "loader/gather.h"

#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "loader/gather.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace millrace::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Lanes = hn::ScalableTag<std::uint8_t>;

// A row of a size that is no multiple of a cache line, to wherever the row before it ended. Stores
// are aligned but for the first and the last, which overlap their neighbours: a store across two
// lines costs two, and that is what bounds the copy. A fifth to a half faster than memcpy for rows
// of 784 bytes.
HWY_INLINE void copy_row(const std::uint8_t* HWY_RESTRICT from, std::uint8_t* HWY_RESTRICT to,
                         std::size_t bytes) {
  const Lanes lanes;
  const std::size_t width = hn::Lanes(lanes);
  if (bytes < width) {
    std::memcpy(to, from, bytes);
    return;
  }
  hn::StoreU(hn::LoadU(lanes, from), lanes, to);
  for (std::size_t at = width - reinterpret_cast<std::uintptr_t>(to) % width; at + width <= bytes;
       at += width) {
    hn::Store(hn::LoadU(lanes, from + at), lanes, to + at);
  }
  hn::StoreU(hn::LoadU(lanes, from + bytes - width), lanes, to + bytes - width);
}

void gather(const std::byte* table, std::size_t row_bytes, const std::uint64_t* ids,
            std::size_t count, std::byte* out) {
  const std::size_t ahead = prefetch_distance(row_bytes);
  for (std::size_t i = 0; i < count; ++i) {
    if (i + ahead < count) prefetch_row(table + ids[i + ahead] * row_bytes, row_bytes);
    copy_row(reinterpret_cast<const std::uint8_t*>(table + ids[i] * row_bytes),
             reinterpret_cast<std::uint8_t*>(out + i * row_bytes), row_bytes);
  }
}

}  // namespace
}  // namespace millrace::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace millrace {

HWY_EXPORT(gather);

void gather_rows(std::span<const std::byte> table, std::size_t row_bytes,
                 std::span<const std::uint64_t> ids, std::span<std::byte> out) noexcept {
  HWY_DYNAMIC_DISPATCH(gather)(table.data(), row_bytes, ids.data(), ids.size(), out.data());
}

void gather_labels(std::span<const std::int32_t> table, std::span<const std::uint64_t> ids,
                   std::span<std::int32_t> out) noexcept {
  for (std::size_t i = 0; i < ids.size(); ++i) out[i] = table[ids[i]];
}

}  // namespace millrace
#endif
