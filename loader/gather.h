#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace millrace {

/// Copies rows `ids` of `table` ([rows, row_bytes]) to `out` ([ids.size(), row_bytes]), asking for
/// rows ahead of time: they lie anywhere, so the processor cannot foresee them.
void gather_rows(std::span<const std::byte> table, std::size_t row_bytes,
                 std::span<const std::uint64_t> ids, std::span<std::byte> out) noexcept;

inline constexpr std::size_t kCacheLine = 64;

/// Bytes from one row to the next in a table whose rows begin at cache lines, as those of 512 bytes
/// and more do, for which that is an eighth at most; smaller rows follow one another.
constexpr std::size_t padded_row(std::size_t row_bytes) noexcept {
  constexpr std::size_t kPadded = 512;
  return row_bytes < kPadded ? row_bytes : (row_bytes + kCacheLine - 1) / kCacheLine * kCacheLine;
}

/// Copies rows `rows` of `in` ([any, row_bytes]) to rows `places` of `table`, which are
/// padded_row(row_bytes) apart, the first at a multiple of kCacheLine. As many of both. Places lie
/// anywhere and are not read soon: padded rows go to memory past the caches, whole lines without
/// being fetched first, and what pads them is overwritten.
void scatter_rows(std::span<const std::byte> in, std::size_t row_bytes,
                  std::span<const std::uint64_t> rows, std::span<const std::uint64_t> places,
                  std::span<std::byte> table) noexcept;

/// Copies the first rows of `table`, which are padded_row(row_bytes) apart, to `out`
/// ([rows, row_bytes]), as many as that holds.
void unpad_rows(std::span<const std::byte> table, std::size_t row_bytes,
                std::span<std::byte> out) noexcept;

/// out[i] = table[ids[i]]
void gather_labels(std::span<const std::int32_t> table, std::span<const std::uint64_t> ids,
                   std::span<std::int32_t> out) noexcept;

/// Asks for the cache lines of [data, data + bytes), at most the first 4 KiB of them.
inline void prefetch_row(const std::byte* data, std::size_t bytes) noexcept {
  constexpr std::size_t kLine = 64;
  constexpr std::size_t kMost = 4096;
  const std::size_t end = bytes < kMost ? bytes : kMost;
  for (std::size_t at = 0; at < end; at += kLine) __builtin_prefetch(data + at);
  if (end != 0) __builtin_prefetch(data + end - 1);
}

/// Rows to ask for ahead of the one being read: enough to cover a memory access, few enough to stay
/// in L1.
constexpr std::size_t prefetch_distance(std::size_t row_bytes) noexcept {
  constexpr std::size_t kAhead = 6144;
  const std::size_t rows = kAhead / (row_bytes == 0 ? 1 : row_bytes);
  return rows < 1 ? 1 : (rows > 16 ? 16 : rows);
}

}  // namespace millrace
