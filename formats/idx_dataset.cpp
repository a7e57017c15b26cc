#include "formats/idx_dataset.h"

#include <cstring>
#include <utility>

#include "formats/idx_pair.h"
#include "formats/mapped_file.h"

namespace millrace {
IdxDataset::IdxDataset(IdxArray images, const IdxArray& labels,
                       std::optional<std::uint32_t> classes, std::vector<std::string> class_names)
    : images_(std::move(images)),
      shape_(idx_sample_shape(images_.path(), images_.header())),
      class_names_(std::move(class_names)) {
  auto found = idx_labels(images_.path(), images_.header(), labels, classes);
  labels_ = std::move(found.values);
  classes_ = found.classes;
}

std::shared_ptr<const IdxDataset> IdxDataset::open(const std::filesystem::path& images,
                                                   const std::filesystem::path& labels,
                                                   std::optional<std::uint32_t> classes) {
  return std::make_shared<const IdxDataset>(read_idx(images), read_idx(labels), classes);
}

std::string IdxDataset::hash() const {
  const std::scoped_lock lock(hash_mutex_);
  if (hash_.empty()) {
    auto hasher = begin_dataset_hash(*this);
    hasher.update(images_.data());
    hasher.update(std::as_bytes(std::span(labels_)));
    hash_ = hasher.hex();
  }
  return hash_;
}

void IdxDataset::read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
                      std::span<std::int32_t> labels) const {
  check_read(*this, ids, samples, labels);
  const auto bytes = static_cast<std::size_t>(sample_bytes());
  const auto* data = images_.data().data();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto id = static_cast<std::size_t>(ids[i]);
    std::memcpy(samples.data() + i * bytes, data + id * bytes, bytes);
    labels[i] = labels_[id];
  }
}

void IdxDataset::expect(std::uint64_t first, std::uint64_t count) const noexcept {
  if (!images_.mapped()) return;
  expect_mapped(images_.data(), first * sample_bytes(), count * sample_bytes());
}

void IdxDataset::forget(std::uint64_t first, std::uint64_t count) const noexcept {
  if (!images_.mapped() || images_.data().size() <= kStays) return;
  forget_mapped(images_.data(), first * sample_bytes(), count * sample_bytes());
}

}  // namespace millrace
