#include "loader/in_memory.h"

#include <utility>

#include "formats/array_dataset.h"
#include "formats/forwarding_dataset.h"
#include "loader/resident.h"

namespace millrace {
namespace {

class InMemory final : public ForwardingDataset<Dataset> {
 public:
  InMemory(std::shared_ptr<const Dataset> data, ResidentSet samples)
      : ForwardingDataset(std::move(data)), samples_(std::move(samples)) {}

  const ColumnNames& column_names() const noexcept override { return of().column_names(); }
  std::string hash() const override { return of().hash(); }
  ContiguousView contiguous() const noexcept override {
    return {samples_.samples, samples_.labels};
  }
  void read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
            std::span<std::int32_t> labels) const override {
    read_in_place(*this, ids, samples, labels);
  }

 private:
  const ResidentSet samples_;
};

}  // namespace

std::shared_ptr<const Dataset> in_memory(const std::shared_ptr<const Dataset>& data) {
  const bool as_stored = data->dtype() == DType::kUInt8 || data->dtype() == DType::kFloat32;
  if (!as_stored || !data->contiguous().samples.empty()) return data;
  const InputType type = data->dtype() == DType::kUInt8 ? InputType::kUInt8 : InputType::kFloat32;
  return std::make_shared<InMemory>(data, resident_samples(data, type));
}

}  // namespace millrace
