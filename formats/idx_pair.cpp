#include "formats/idx_pair.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <future>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>

#include "formats/error.h"
#include "formats/targets.h"

namespace millrace {
namespace {

void check_count(const std::filesystem::path& images, const IdxHeader& header,
                 const IdxArray& labels, std::string_view what) {
  if (labels.dims()[0] == header.dims[0]) return;
  throw DataError(
      labels.path(), 4,
      fmt::format("{} {}, one for each image in {}", header.dims[0], what, images.string()),
      fmt::format("{}", labels.dims()[0]));
}

/// [count] or [count, targets].
Labels idx_targets(const std::filesystem::path& images, const IdxHeader& header,
                   const IdxArray& numbers) {
  const auto& dims = numbers.dims();
  if (dims.empty() || dims.size() > 2) {
    throw DataError(numbers.path(), 3, "targets, of rank 1 or 2", numbers.header().describe());
  }
  check_count(images, header, numbers, dims.size() == 1 ? "targets" : "rows of targets");
  const auto targets = dims.size() == 1 ? 1 : dims[1];
  if (targets == 0 || targets > kMostTargets) {
    throw DataError(numbers.path(), 8, fmt::format("1 to {} targets of a sample", kMostTargets),
                    fmt::format("{}", targets));
  }
  Labels found{.values = std::vector<std::int32_t>(numbers.elements()), .targets = targets};
  if (const auto bad = read_targets(numbers.dtype(), numbers.data(), found.values)) {
    throw DataError(numbers.path(),
                    numbers.header().header_bytes() + bad->at * size_of(numbers.dtype()),
                    expected_target(bad->at, targets), bad->found);
  }
  return found;
}

template <typename Stored>
std::vector<std::int32_t> convert_labels(const IdxArray& labels, std::uint32_t limit) {
  std::vector<std::int32_t> converted(labels.dims()[0]);
  const auto data = labels.data();
  for (std::size_t i = 0; i < converted.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, data.data() + i * sizeof(Stored), sizeof(Stored));
    if (std::cmp_less(stored, 0) || std::cmp_greater_equal(stored, limit)) {
      throw DataError(labels.path(), labels.header().header_bytes() + i * sizeof(Stored),
                      fmt::format("a label in [0, {}) for sample {}", limit, i),
                      fmt::format("{}", static_cast<std::int64_t>(stored)));
    }
    // By way of its unsigned type, which changes nothing: it is not negative.
    converted[i] = static_cast<std::int32_t>(static_cast<std::make_unsigned_t<Stored>>(stored));
  }
  return converted;
}

std::vector<std::int32_t> convert_labels(const IdxArray& labels, std::uint32_t limit) {
  switch (labels.dtype()) {
    case DType::kUInt8:
      return convert_labels<std::uint8_t>(labels, limit);
    case DType::kInt8:
      return convert_labels<std::int8_t>(labels, limit);
    case DType::kInt16:
      return convert_labels<std::int16_t>(labels, limit);
    case DType::kInt32:
      return convert_labels<std::int32_t>(labels, limit);
    default:
      throw DataError(labels.path(), 2, "labels of an integer type",
                      std::string(name_of(labels.dtype())) + std::string(kRegressionAdvice));
  }
}

}  // namespace

SampleShape idx_sample_shape(const std::filesystem::path& path, const IdxHeader& images) {
  const auto& dims = images.dims;
  if (dims.size() < 2) {
    throw DataError(path, 3, "samples, of rank 2 or more", images.describe());
  }
  if (dims[0] == 0) throw DataError(path, 4, "at least one sample", "none");
  SampleShape shape{.dims = {dims.begin() + 1, dims.end()}};
  for (std::size_t i = 1; i < dims.size(); ++i) {
    if (dims[i] == 0) {
      throw DataError(path, 4 + 4 * i, "samples of at least one element", images.describe());
    }
  }
  return shape;
}

Labels idx_labels(const std::filesystem::path& images, const IdxHeader& header,
                  const IdxArray& labels, std::optional<std::uint32_t> classes, Task task) {
  if (task == Task::kRegression) return idx_targets(images, header, labels);
  if (labels.dims().size() != 1) {
    const auto advice = labels.dims().size() == 2 ? kRegressionAdvice : std::string_view();
    throw DataError(labels.path(), 3, "labels, of rank 1",
                    labels.header().describe() + std::string(advice));
  }
  check_count(images, header, labels, "labels");
  Labels found{.values = convert_labels(labels, classes.value_or(kMostIdxClasses)),
               .classes = classes.value_or(0)};
  if (!classes) {
    found.classes = static_cast<std::uint32_t>(*std::ranges::max_element(found.values)) + 1;
  }
  return found;
}

Hasher begin_dataset_hash(const Dataset& data) {
  Hasher hasher;
  // Names what follows, so that no two data sets give the same stream of bytes.
  const auto labels = data.task() == Task::kClassification
                          ? std::string("int32 labels")
                          : fmt::format("float32 targets of [{}]", data.targets());
  const auto header =
      fmt::format("millrace dataset 1\n{} samples of [{}] {}, {}\n", data.size(),
                  fmt::join(data.shape().dims, ", "), name_of(data.dtype()), labels);
  hasher.update(std::as_bytes(std::span(header)));
  return hasher;
}

std::string hash_by_reading(const Dataset& data) {
  // Rounds of a few samples a core, hashed in their order.
  constexpr std::size_t kEach = 16;
  const auto bytes = static_cast<std::size_t>(data.sample_bytes());
  const auto size = static_cast<std::size_t>(data.size());
  const std::size_t in_round = kEach * std::max(1U, std::thread::hardware_concurrency());
  std::vector<std::byte> round(std::min(size, in_round) * bytes);
  const std::size_t words = data.label_words();
  std::vector<std::int32_t> labels(size * words);
  auto hasher = begin_dataset_hash(data);
  for (std::size_t first = 0; first < size; first += in_round) {
    const auto end = std::min(size, first + in_round);
    std::vector<std::future<void>> parts;
    for (auto begin = first; begin < end; begin += kEach) {
      parts.push_back(std::async(std::launch::async, [&, begin] {
        const auto count = std::min(end - begin, kEach);
        std::vector<std::uint64_t> ids(count);
        std::iota(ids.begin(), ids.end(), std::uint64_t{begin});
        data.read(ids, std::span(round).subspan((begin - first) * bytes, count * bytes),
                  std::span(labels).subspan(begin * words, count * words));
      }));
    }
    for (auto& part : parts) part.get();
    hasher.update(std::span<const std::byte>(round).first((end - first) * bytes));
  }
  hasher.update(std::as_bytes(std::span(labels)));
  return hasher.hex();
}

}  // namespace millrace
