#include "formats/array_dataset.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "formats/idx_pair.h"
#include "formats/mapped_file.h"

namespace millrace {

void read_in_place(const Dataset& data, std::span<const std::uint64_t> ids,
                   std::span<std::byte> samples, std::span<std::int32_t> labels) {
  check_read(data, ids, samples, labels);
  const ContiguousView view = data.contiguous();
  const auto bytes = static_cast<std::size_t>(data.sample_bytes());
  const std::size_t words = data.label_words();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto id = static_cast<std::size_t>(ids[i]);
    std::memcpy(samples.data() + i * bytes, view.samples.data() + id * bytes, bytes);
    std::copy_n(&view.labels[id * words], words, &labels[i * words]);
  }
}

ArrayDataset::ArrayDataset(Array samples, const Array& labels, std::optional<std::uint32_t> classes,
                           Task task)
    : samples_(std::move(samples)),
      shape_(array_sample_shape(samples_)),
      labels_(array_labels(samples_, labels, classes, task)) {}

ArrayDataset::ArrayDataset(Array samples, Labels labels, std::vector<std::string> class_names,
                           ColumnNames columns)
    : samples_(std::move(samples)),
      shape_(array_sample_shape(samples_)),
      labels_(std::move(labels)),
      class_names_(std::move(class_names)),
      columns_(std::move(columns)) {
  if (labels_.values.size() != samples_.dims[0] * labels_.words()) {
    throw std::invalid_argument(samples_.name + ": not a label for each sample");
  }
}

std::shared_ptr<const ArrayDataset> ArrayDataset::shaped(const SampleShape& shape) const {
  if (shape.elements() != shape_.elements()) {
    throw std::invalid_argument(samples_.name + ": another number of elements");
  }
  auto samples = samples_;
  samples.dims.resize(1);
  samples.dims.insert(samples.dims.end(), shape.dims.begin(), shape.dims.end());
  return std::make_shared<const ArrayDataset>(std::move(samples), labels_, class_names_, columns_);
}

std::string ArrayDataset::hash() const {
  const std::scoped_lock lock(hash_mutex_);
  if (hash_.empty()) {
    auto hasher = begin_dataset_hash(*this);
    hasher.update(samples_.data);
    hasher.update(std::as_bytes(std::span(labels_.values)));
    hash_ = hasher.hex();
  }
  return hash_;
}

void ArrayDataset::read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
                        std::span<std::int32_t> labels) const {
  read_in_place(*this, ids, samples, labels);
}

void ArrayDataset::expect(std::uint64_t first, std::uint64_t count) const noexcept {
  if (samples_.mapped) expect_mapped(samples_.data, first * sample_bytes(), count * sample_bytes());
}

void ArrayDataset::forget(std::uint64_t first, std::uint64_t count) const noexcept {
  if (!samples_.mapped || samples_.data.size() <= kStays) return;
  forget_mapped(samples_.data, first * sample_bytes(), count * sample_bytes());
}

}  // namespace millrace
