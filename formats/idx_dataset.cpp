#include "formats/idx_dataset.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "formats/error.h"
#include "formats/hash.h"

namespace millrace {
namespace {

SampleShape sample_shape(const IdxArray& images) {
  const auto& dims = images.dims();
  if (dims.size() < 2) {
    throw DataError(images.path(), 3, "samples, of rank 2 or more", images.header().describe());
  }
  if (dims[0] == 0) throw DataError(images.path(), 4, "at least one sample", "none");
  SampleShape shape{.dims = {dims.begin() + 1, dims.end()}};
  for (std::size_t i = 1; i < dims.size(); ++i) {
    if (dims[i] == 0) {
      throw DataError(images.path(), 4 + 4 * i, "samples of at least one element",
                      images.header().describe());
    }
  }
  return shape;
}

void check_pair(const IdxArray& images, const IdxArray& labels) {
  if (labels.dims().size() != 1) {
    throw DataError(labels.path(), 3, "labels, of rank 1", labels.header().describe());
  }
  if (labels.dims()[0] != images.dims()[0]) {
    throw DataError(labels.path(), 4,
                    fmt::format("{} labels, one for each image in {}", images.dims()[0],
                                images.path().string()),
                    fmt::format("{}", labels.dims()[0]));
  }
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
                      std::string(name_of(labels.dtype())));
  }
}

}  // namespace

IdxDataset::IdxDataset(IdxArray images, const IdxArray& labels,
                       std::optional<std::uint32_t> classes)
    : images_(std::move(images)), shape_(sample_shape(images_)) {
  check_pair(images_, labels);
  labels_ = convert_labels(labels, classes.value_or(kMostClasses));
  classes_ =
      classes ? *classes : static_cast<std::uint32_t>(*std::ranges::max_element(labels_)) + 1;
}

std::shared_ptr<const IdxDataset> IdxDataset::open(const std::filesystem::path& images,
                                                   const std::filesystem::path& labels,
                                                   std::optional<std::uint32_t> classes) {
  return std::make_shared<const IdxDataset>(read_idx(images), read_idx(labels), classes);
}

std::string IdxDataset::hash() const {
  const std::scoped_lock lock(hash_mutex_);
  if (hash_.empty()) {
    Hasher hasher;
    // Names what follows, so that no two data sets give the same stream of bytes.
    const auto header = fmt::format("millrace dataset 1\n{} samples of [{}] {}, int32 labels\n",
                                    size(), fmt::join(shape_.dims, ", "), name_of(dtype()));
    hasher.update(std::as_bytes(std::span(header)));
    hasher.update(images_.data());
    hasher.update(std::as_bytes(std::span(labels_)));
    hash_ = hasher.hex();
  }
  return hash_;
}

void IdxDataset::read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
                      std::span<std::int32_t> labels) const {
  const auto bytes = static_cast<std::size_t>(sample_bytes());
  if (samples.size() != ids.size() * bytes || labels.size() != ids.size()) {
    throw std::invalid_argument(
        fmt::format("{}: room for {} bytes and {} labels given for {} samples of {} bytes", name(),
                    samples.size(), labels.size(), ids.size(), bytes));
  }
  // All checked before the first copy: an error leaves the caller's memory as it was.
  for (const auto id : ids) {
    if (id >= size()) {
      throw std::out_of_range(fmt::format("{}: sample {} of {}", name(), id, size()));
    }
  }
  const auto* data = images_.data().data();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto id = static_cast<std::size_t>(ids[i]);
    std::memcpy(samples.data() + i * bytes, data + id * bytes, bytes);
    labels[i] = labels_[id];
  }
}

}  // namespace millrace
