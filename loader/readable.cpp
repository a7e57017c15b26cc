#include "loader/readable.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "formats/file_stamp.h"
#include "formats/idx_pair.h"
#include "loader/parallel_blocks.h"
#include "loader/worker_pool.h"

namespace millrace {
namespace {

constexpr std::uint64_t kTogether = 16;  // samples that one core reads at a time
constexpr std::uint64_t kRound = 4;      // of them for each core, before they are hashed
constexpr std::int32_t kNoLabel = -1;

}  // namespace

BadSample bad_sample(std::uint64_t id, const DataError& error) {
  return {id, error.file(), error.offset(), error.what()};
}

std::optional<BadSample> read_one(const Dataset& data, std::uint64_t id,
                                  std::span<std::byte> sample, std::span<std::int32_t> label) {
  try {
    data.read({&id, 1}, sample, label);
    return std::nullopt;
  } catch (const ChangedFile&) {
    throw;
  } catch (const DataError& error) {
    return bad_sample(id, error);
  }
}

std::vector<BadPlace> read_readable(const Dataset& data, std::span<const std::uint64_t> ids,
                                    std::span<std::byte> samples, std::span<std::int32_t> labels) {
  try {
    data.read(ids, samples, labels);
    return {};
  } catch (const DataError&) {
    // One of them at least.
  }
  std::vector<BadPlace> bad;
  const auto bytes = static_cast<std::size_t>(data.sample_bytes());
  const std::size_t words = data.label_words();
  // In the order of the file: a set that is stored in blocks has the last few of them decoded.
  std::vector<std::uint32_t> order(ids.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, {}, [ids](std::uint32_t i) { return ids[i]; });
  for (const std::uint32_t i : order) {
    const auto sample = samples.subspan(i * bytes, bytes);
    const auto label = labels.subspan(i * words, words);
    if (auto broken = read_one(data, ids[i], sample, label)) {
      std::ranges::fill(sample, std::byte{0});
      std::ranges::fill(label, 0);
      bad.push_back({i, std::move(*broken)});
    }
  }
  std::ranges::sort(bad, {}, &BadPlace::place);
  return bad;
}

std::string hash_readable(const Dataset& data) {
  try {
    return data.hash();
  } catch (const DataError&) {
    // Sample by sample, then.
  }
  return hash_readable_now(data);
}

std::string hash_readable_now(const Dataset& data) {
  const auto bytes = static_cast<std::size_t>(data.sample_bytes());
  const std::size_t words = data.label_words();
  const std::uint64_t round = std::min(data.size(), kTogether * kRound * WorkerPool::resolve(0));
  std::vector<std::uint64_t> ids(static_cast<std::size_t>(round));
  std::vector<std::byte> samples(static_cast<std::size_t>(round) * bytes);
  std::vector<std::int32_t> labels(static_cast<std::size_t>(data.size()) * words);
  auto hasher = begin_dataset_hash(data);
  for (std::uint64_t first = 0; first < data.size(); first += round) {
    const std::uint64_t end = std::min(data.size(), first + round);
    std::iota(ids.begin(), ids.end(), first);
    for_each_block(end - first, kTogether, 0, [&](std::uint64_t begin, std::uint64_t count) {
      const auto some = std::span(labels).subspan((first + begin) * words, count * words);
      const auto bad =
          read_readable(data, std::span(ids).subspan(begin, count),
                        std::span(samples).subspan(begin * bytes, count * bytes), some);
      for (const BadPlace& one : bad) {
        std::ranges::fill(some.subspan(one.place * words, words), kNoLabel);
      }
    });
    hasher.update(std::span<const std::byte>(samples).first((end - first) * bytes));
  }
  hasher.update(std::as_bytes(std::span(labels)));
  return hasher.hex();
}

}  // namespace millrace
