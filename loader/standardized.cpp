#include "loader/standardized.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "formats/convert.h"
#include "formats/made_dataset.h"

namespace millrace {
namespace {

class StandardizedDataset final : public MadeDataset {
 public:
  StandardizedDataset(std::shared_ptr<const Dataset> data, std::shared_ptr<const Standardizer> by)
      : MadeDataset(std::move(data)), by_(std::move(by)) {}

  DType dtype() const noexcept override { return DType::kFloat32; }
  const ColumnNames& column_names() const noexcept override { return of().column_names(); }
  void make(std::span<const std::byte> stored, std::span<std::byte> samples) const override {
    std::vector<float> rows(samples.size() / sizeof(float));
    to_float32(of().dtype(), stored, rows);
    by_->apply(rows);
    if (!rows.empty()) std::memcpy(samples.data(), rows.data(), samples.size());
  }

 private:
  std::shared_ptr<const Standardizer> by_;
};

}  // namespace

std::shared_ptr<const Dataset> standardized(std::shared_ptr<const Dataset> data,
                                            std::shared_ptr<const Standardizer> by) {
  if (!by) return data;
  const std::uint64_t features = data->shape().elements();
  if (by->mean.size() != features || by->deviation.size() != features) {
    throw std::invalid_argument(
        data->name() + ": expected samples of " + std::to_string(by->mean.size()) +
        " values to standardise, found samples of " + std::to_string(features));
  }
  return in_stored_blocks(
      std::make_shared<const StandardizedDataset>(std::move(data), std::move(by)));
}

const Dataset& unstandardized(const Dataset& data) noexcept {
  const auto* made = dynamic_cast<const StandardizedDataset*>(as_made(data));
  return made == nullptr ? data : made->stored();
}

}  // namespace millrace
