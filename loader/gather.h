#pragma once

#include <algorithm>
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

/// Copies labels `ids` of `table` ([any, words]) to `out` ([ids.size(), words]).
void gather_labels(std::span<const std::int32_t> table, std::size_t words,
                   std::span<const std::uint64_t> ids, std::span<std::int32_t> out) noexcept;

/// Asks for the cache lines of rows that lie anywhere before they are read. Far ahead it asks for
/// the second-level cache, which has more lines on their way than the first level can wait for, and
/// a few rows ahead for the first level.
class RowPrefetcher {
 public:
  /// Rows `ids` of `table` ([any, row_bytes]) will be read, in that order. Both must outlive this.
  RowPrefetcher(const std::byte* table, std::size_t row_bytes,
                std::span<const std::uint64_t> ids) noexcept
      : table_(table),
        row_bytes_(row_bytes),
        ids_(ids),
        far_(rows_in(kFar, row_bytes, kMostFar)),
        near_(std::min(far_ - 1, rows_in(kNear, row_bytes, kMostNear))) {
    for (std::size_t i = 0; i < std::min(far_, ids.size()); ++i) ask<kSecondLevel>(ids[i]);
  }

  /// To be called before row ids[i] is read.
  // Inlined by force, as is ask(): GCC leaves out a call that does nothing but ask for memory, for
  // it has no effect.
  [[gnu::always_inline]] void before(std::size_t i) const noexcept {
    if (i + far_ < ids_.size()) ask<kSecondLevel>(ids_[i + far_]);
    if (near_ != 0 && i + near_ < ids_.size()) ask<kFirstLevel>(ids_[i + near_]);
  }

 private:
  // Bytes ahead: enough to cover a memory access, few enough to stay where they were asked for.
  static constexpr std::size_t kFar = 16384;
  static constexpr std::size_t kNear = 3072;
  static constexpr std::size_t kMostFar = 32;
  static constexpr std::size_t kMostNear = 4;
  static constexpr std::size_t kMostOfRow = 16384;  // by its end the processor has seen the pattern
  static constexpr int kSecondLevel = 2;
  static constexpr int kFirstLevel = 3;

  static constexpr std::size_t rows_in(std::size_t bytes, std::size_t row_bytes,
                                       std::size_t most) noexcept {
    return std::clamp<std::size_t>(bytes / std::max<std::size_t>(row_bytes, 1), 1, most);
  }

  template <int Locality>
  [[gnu::always_inline]] void ask(std::uint64_t id) const noexcept {
    const std::byte* const row = table_ + id * row_bytes_;
    const std::size_t end = std::min(row_bytes_, kMostOfRow);
    for (std::size_t at = 0; at < end; at += kCacheLine) __builtin_prefetch(row + at, 0, Locality);
    if (end != 0) __builtin_prefetch(row + end - 1, 0, Locality);
  }

  const std::byte* table_;
  std::size_t row_bytes_;
  std::span<const std::uint64_t> ids_;
  std::size_t far_;
  std::size_t near_;
};

}  // namespace millrace
