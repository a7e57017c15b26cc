#include "loader/resident.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <mutex>
#include <numeric>
#include <span>
#include <vector>

#include "compute/memory.h"
#include "compute/stage.h"
#include "loader/parallel_blocks.h"
#include "loader/sample_reader.h"
#include "loader/worker_pool.h"

namespace millrace {
namespace {

// Samples read at once: many, for those of one block of a file are best read together, but few
// enough that all cores share in decoding a small folder of large images.
std::uint64_t samples_at_once(std::uint64_t size) {
  constexpr std::uint64_t kMost = 1024;
  constexpr std::uint64_t kEach = 8;
  return std::clamp<std::uint64_t>(size / (kEach * WorkerPool::resolve(0)), 1, kMost);
}

struct Copy {
  Copy(std::uint64_t size, const SampleReader& reader)
      : samples(pageable_memory(), size * reader.sample_bytes()),
        labels(size * reader.label_words()) {}

  static ResidentSet set_of(const std::shared_ptr<Copy>& copy) {
    return {copy->samples.bytes(), copy->labels, copy};
  }

  HostBuffer samples;
  std::vector<std::int32_t> labels;
};

// What could not be read, where it is no error: `place_of` says where in the set each is.
template <typename Place>
std::vector<BadPlace> read_some(SampleReader& reader, std::span<const std::uint64_t> ids,
                                std::span<std::byte> samples, std::span<std::int32_t> labels,
                                bool tolerant, Place place_of) {
  std::vector<BadPlace> bad;
  if (!tolerant) {
    reader.read(ids, samples, labels);
    return bad;
  }
  bad = reader.read_readable(ids, samples, labels);
  for (BadPlace& one : bad) one.place = place_of(one.place);
  return bad;
}

}  // namespace

ResidentSet resident_samples(const std::shared_ptr<const Dataset>& data, const Subset& subset,
                             InputType type, std::vector<BadPlace>* bad) {
  const StageSpan span(Stage::kLoad);
  SampleReader reader(data, type);
  std::vector<std::uint64_t> ids(subset.size());
  std::iota(ids.begin(), ids.end(), std::uint64_t{0});
  subset.map(ids, ids);
  // Where they go, in the order of the file.
  std::vector<std::uint32_t> order(ids.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, {}, [&](std::uint32_t i) { return ids[i]; });
  const auto bytes = reader.sample_bytes();
  const auto words = reader.label_words();
  const auto copy = std::make_shared<Copy>(ids.size(), reader);

  std::mutex mutex;
  for_each_block(
      ids.size(), samples_at_once(ids.size()), 0, [&](std::uint64_t first, std::uint64_t count) {
        std::vector<std::uint64_t> some;
        for (auto i = first; i < first + count; ++i) some.push_back(ids[order[i]]);
        std::vector<std::byte> samples(some.size() * bytes);
        std::vector<std::int32_t> labels(some.size() * words);
        const auto found = read_some(reader, some, samples, labels, bad != nullptr,
                                     [&](std::uint32_t i) { return order[first + i]; });
        if (!found.empty()) {
          const std::lock_guard lock(mutex);
          std::ranges::copy(found, std::back_inserter(*bad));
        }
        for (std::size_t i = 0; i < some.size(); ++i) {
          const auto to = order[first + i];
          std::ranges::copy(std::span(samples).subspan(i * bytes, bytes),
                            copy->samples.bytes().subspan(to * bytes).begin());
          std::copy_n(labels.data() + i * words, words, copy->labels.data() + to * words);
        }
      });
  if (bad != nullptr) std::ranges::sort(*bad, {}, &BadPlace::place);
  return Copy::set_of(copy);
}

ResidentSet resident_samples(const std::shared_ptr<const Dataset>& data, InputType type,
                             std::vector<BadPlace>* bad) {
  const StageSpan span(Stage::kLoad);
  const DType wanted = type == InputType::kUInt8 ? DType::kUInt8 : DType::kFloat32;
  const ContiguousView view = data->contiguous();
  if (data->dtype() == wanted && !view.samples.empty()) return {view.samples, view.labels, data};

  SampleReader reader(data, type);
  const std::uint64_t size = data->size();
  const auto copy = std::make_shared<Copy>(size, reader);

  std::mutex mutex;
  for_each_block(size, samples_at_once(size), 0, [&](std::uint64_t first, std::uint64_t count) {
    std::vector<std::uint64_t> ids(count);
    std::iota(ids.begin(), ids.end(), first);
    const auto found = read_some(
        reader, ids,
        copy->samples.bytes().subspan(first * reader.sample_bytes(), count * reader.sample_bytes()),
        std::span(copy->labels).subspan(first * reader.label_words(), count * reader.label_words()),
        bad != nullptr, [first](std::uint32_t i) { return static_cast<std::uint32_t>(first + i); });
    if (!found.empty()) {
      const std::lock_guard lock(mutex);
      std::ranges::copy(found, std::back_inserter(*bad));
    }
  });
  if (bad != nullptr) std::ranges::sort(*bad, {}, &BadPlace::place);
  return Copy::set_of(copy);
}

}  // namespace millrace
