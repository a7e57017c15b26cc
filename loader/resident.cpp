#include "loader/resident.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "compute/memory.h"
#include "loader/sample_reader.h"

namespace millrace {
namespace {

struct Copy {
  HostBuffer samples;
  std::vector<std::int32_t> labels;
};

}  // namespace

ResidentSet resident_samples(const std::shared_ptr<const Dataset>& data, InputType type) {
  const DType wanted = type == InputType::kUInt8 ? DType::kUInt8 : DType::kFloat32;
  const ContiguousView view = data->contiguous();
  if (data->dtype() == wanted && !view.samples.empty()) return {view.samples, view.labels, data};

  SampleReader reader(data, type);
  const std::uint64_t size = data->size();
  auto copy = std::make_shared<Copy>();
  copy->samples = HostBuffer(pageable_memory(), size * reader.sample_bytes());
  copy->labels.resize(size);

  constexpr std::uint64_t kBlock = 1024;
  std::vector<std::uint64_t> ids(std::min(size, kBlock));
  for (std::uint64_t first = 0; first < size; first += kBlock) {
    ids.resize(std::min(kBlock, size - first));
    std::iota(ids.begin(), ids.end(), first);
    reader.read(ids,
                copy->samples.bytes().subspan(first * reader.sample_bytes(),
                                              ids.size() * reader.sample_bytes()),
                std::span(copy->labels).subspan(first, ids.size()));
  }
  ResidentSet set{copy->samples.bytes(), copy->labels, nullptr};
  set.owner = std::move(copy);
  return set;
}

}  // namespace millrace
