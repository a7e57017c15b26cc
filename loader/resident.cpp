#include "loader/resident.h"

#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>

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
  Copy(std::uint64_t size, std::size_t sample_bytes)
      : samples(pageable_memory(), size * sample_bytes), labels(size) {}

  static ResidentSet set_of(const std::shared_ptr<Copy>& copy) {
    return {copy->samples.bytes(), copy->labels, copy};
  }

  HostBuffer samples;
  std::vector<std::int32_t> labels;
};

}  // namespace

ResidentSet resident_samples(const std::shared_ptr<const Dataset>& data, const Subset& subset,
                             InputType type) {
  SampleReader reader(data, type);
  std::vector<std::uint64_t> ids(subset.size());
  std::iota(ids.begin(), ids.end(), std::uint64_t{0});
  subset.map(ids, ids);
  // Where they go, in the order of the file.
  std::vector<std::uint32_t> order(ids.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, {}, [&](std::uint32_t i) { return ids[i]; });
  const auto bytes = reader.sample_bytes();
  const auto copy = std::make_shared<Copy>(ids.size(), bytes);

  constexpr std::size_t kAtOnce = 256;
  tbb::parallel_for(tbb::blocked_range<std::size_t>(0, ids.size(), kAtOnce),
                    [&](const auto& range) {
                      std::vector<std::uint64_t> some;
                      for (auto i = range.begin(); i < range.end(); ++i)
                        some.push_back(ids[order[i]]);
                      std::vector<std::byte> samples(some.size() * bytes);
                      std::vector<std::int32_t> labels(some.size());
                      reader.read(some, samples, labels);
                      for (std::size_t i = 0; i < some.size(); ++i) {
                        const auto to = order[range.begin() + i];
                        std::ranges::copy(std::span(samples).subspan(i * bytes, bytes),
                                          copy->samples.bytes().subspan(to * bytes).begin());
                        copy->labels[to] = labels[i];
                      }
                    });
  return Copy::set_of(copy);
}

ResidentSet resident_samples(const std::shared_ptr<const Dataset>& data, InputType type) {
  const DType wanted = type == InputType::kUInt8 ? DType::kUInt8 : DType::kFloat32;
  const ContiguousView view = data->contiguous();
  if (data->dtype() == wanted && !view.samples.empty()) return {view.samples, view.labels, data};

  SampleReader reader(data, type);
  const std::uint64_t size = data->size();
  const auto copy = std::make_shared<Copy>(size, reader.sample_bytes());

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
  return Copy::set_of(copy);
}

}  // namespace millrace
