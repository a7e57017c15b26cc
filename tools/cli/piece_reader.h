#pragma once

#include <tbb/task_arena.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "formats/dataset.h"

namespace millrace {

/// Reads samples of a data set in order, some MB at a time, each piece by several threads. One
/// thread at a time calls it.
class PieceReader {
 public:
  /// Takes the next samples ([count, elements] as the data set has them) and their labels ([count,
  /// label_words()]); false: enough, stop.
  using Sink =
      std::function<bool(std::span<const std::byte> samples, std::span<const std::int32_t> labels)>;

  /// `jobs`: threads; 0: one for each core.
  PieceReader(std::shared_ptr<const Dataset> data, std::uint32_t jobs);

  const Dataset& data() const noexcept { return *data_; }
  /// Samples [first, first + count); false if the sink stopped it. Each block of a BlockDataset is
  /// decoded once. Throws what Dataset::read throws.
  bool read(std::uint64_t first, std::uint64_t count, const Sink& sink);

 private:
  std::uint64_t next_cut(std::uint64_t at) const;

  std::shared_ptr<const Dataset> data_;
  tbb::task_arena arena_;
};

}  // namespace millrace
