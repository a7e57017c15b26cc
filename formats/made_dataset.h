#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "formats/dataset.h"
#include "formats/forwarding_dataset.h"

namespace millrace {

/// A data set whose samples are made of those of another one as they are read, one of one. It has
/// the other's labels, and says of shape and type what that says, but for what it overrides.
class MadeDataset : public ForwardingDataset<Dataset> {
 public:
  using ForwardingDataset::ForwardingDataset;

  /// What the samples are made of.
  const Dataset& stored() const noexcept { return of(); }
  /// Makes `samples`, which need not be aligned, of as many stored ones. Called from any number of
  /// threads at once.
  virtual void make(std::span<const std::byte> stored, std::span<std::byte> samples) const = 0;

  std::span<const std::int32_t> labels() const noexcept override { return of().labels(); }
  /// Of what it delivers. Makes all samples, on all cores.
  std::string hash() const override;
  /// Makes them on the calling thread.
  void read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
            std::span<std::int32_t> labels) const override;

 private:
  mutable std::mutex hash_mutex_;
  mutable std::string hash_;  // empty until somebody asks
};

/// `made`, and in the same blocks where what it is made of is in blocks (BlockDataset).
std::shared_ptr<const Dataset> in_stored_blocks(std::shared_ptr<const MadeDataset> made);

/// The MadeDataset that `data` is, or is in blocks; null for any other.
const MadeDataset* as_made(const Dataset& data) noexcept;

}  // namespace millrace
