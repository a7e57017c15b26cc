#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "formats/dataset.h"

namespace millrace {

/// A data set that stays on disk and is decoded in blocks of neighbouring samples, each by itself:
/// what can be streamed. Labels are in memory. What a block takes of a large file does not stay in
/// memory behind it.
class BlockDataset : public Dataset {
 public:
  struct Block {
    std::uint64_t first = 0;  ///< its first sample
    std::uint64_t count = 0;  ///< samples, at least one

    bool operator==(const Block&) const = default;
  };

  /// In the order of the samples; every one is in one of them.
  virtual std::span<const Block> blocks() const noexcept = 0;
  /// Samples of the largest block.
  std::uint64_t largest_block() const noexcept;
  /// [size(), label_words()].
  std::span<const std::int32_t> labels() const noexcept override = 0;

  /// Tells the kernel that block `index` will be decoded soon.
  virtual void expect_block(std::size_t index) const noexcept = 0;
  /// Decodes block `index` straight to `samples` ([block.count, elements], dtype()), on the calling
  /// thread. Throws DataError where a sample of it cannot be read, std::out_of_range, and
  /// std::invalid_argument for memory of another size.
  virtual void decode_block(std::size_t index, std::span<std::byte> samples) const = 0;
  /// The same, and its labels ([block.count, label_words()]).
  void decode_block(std::size_t index, std::span<std::byte> samples,
                    std::span<std::int32_t> labels) const;

  /// Decodes everything once, on all cores, some MB at a time; remembered.
  std::string hash() const final;
  /// 128-bit hash of shape, type, labels and what the files say of their content, as 32 hex digits:
  /// equal for equal content that is stored alike, without decoding any of it. nullopt where files
  /// say nothing: there hash() takes its place.
  virtual std::optional<std::string> fingerprint() const { return std::nullopt; }

 protected:
  /// Throws std::invalid_argument where there is not room for exactly `count` samples.
  void check_room(std::uint64_t count, std::span<const std::byte> samples) const;

 private:
  mutable std::mutex hash_mutex_;
  mutable std::string hash_;  // empty until somebody asks
};

}  // namespace millrace
