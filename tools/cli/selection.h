#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "formats/dataset.h"
#include "formats/forwarding_dataset.h"

namespace millrace {

/// Some samples of a data set, as one of their own.
class Selection final : public ForwardingDataset<Dataset> {
 public:
  /// `ids` in the order that they are to have here. Throws std::invalid_argument for one that is
  /// not below the set's size, and for none.
  Selection(std::shared_ptr<const Dataset> data, std::vector<std::uint64_t> ids);

  std::uint64_t size() const noexcept override { return ids_.size(); }
  const ColumnNames& column_names() const noexcept override { return of().column_names(); }
  /// Reads all samples at every call.
  std::string hash() const override;
  void read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
            std::span<std::int32_t> labels) const override;

 private:
  std::vector<std::uint64_t> ids_;
};

/// Two parts of a data set, each in its order.
struct Parts {
  std::shared_ptr<const Dataset> train;
  std::shared_ptr<const Dataset> test;
};

/// Draws round(train_share * size) samples for training and round(test_share * size) others for
/// testing, at least one each, by a permutation seeded by `seed`: which ones depends on it, the
/// shares and the number of samples alone. What is left belongs to neither. Throws
/// std::invalid_argument for shares that are not above 0 or add up to more than 1, DataError where
/// there are fewer than two samples.
Parts split_randomly(const std::shared_ptr<const Dataset>& data, double train_share,
                     double test_share, std::uint64_t seed);

}  // namespace millrace
