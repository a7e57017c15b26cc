#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "compute/chunk.h"
#include "formats/dataset.h"
#include "loader/bad_sample.h"

namespace millrace {

/// Reads samples of a data set by id in the type an engine takes: in place where the set lies in
/// memory, through Dataset::read() where it does not. All members may be called from any number of
/// threads.
class SampleReader {
 public:
  /// Throws std::invalid_argument where the set's type cannot become `type` (all can become
  /// float32).
  SampleReader(std::shared_ptr<const Dataset> data, InputType type);

  std::size_t sample_bytes() const noexcept {
    return elements_ * size_of(type_);
  }  ///< of one in `type`
  std::size_t label_words() const noexcept { return words_; }

  /// samples: [ids.size(), elements] of `type`; labels: [ids.size(), label_words()]. Every id is
  /// below the set's size. Throws what Dataset::read() throws.
  void read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
            std::span<std::int32_t> labels);
  /// The same of rows of `view`, which holds samples as the data set stores them.
  void read(const ContiguousView& view, std::span<const std::uint64_t> rows,
            std::span<std::byte> samples, std::span<std::int32_t> labels) const;
  /// All samples of `view`, in its order, which are padded_row() in gather.h apart there.
  void read_padded(const ContiguousView& view, std::span<std::byte> samples,
                   std::span<std::int32_t> labels) const;
  /// What can be read of `ids`, as read_readable() in readable.h.
  std::vector<BadPlace> read_readable(std::span<const std::uint64_t> ids,
                                      std::span<std::byte> samples, std::span<std::int32_t> labels);

 private:
  class Scratch;

  void read_and_convert(std::span<const std::uint64_t> ids, std::span<float> samples,
                        std::span<std::int32_t> labels);

  const std::shared_ptr<const Dataset> data_;
  const InputType type_;
  const DType stored_;
  const std::size_t elements_;
  const std::size_t stored_bytes_;  ///< of one sample
  const std::size_t words_;         ///< of one label
  const ContiguousView view_;

  // Buffers for samples before conversion: as many as threads that ever read at once.
  std::mutex mutex_;
  std::vector<std::vector<std::byte>> scratch_;
  std::size_t borrowed_ = 0;
};

}  // namespace millrace
