#include "formats/webdataset.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <stdexcept>

#include "formats/error.h"
#include "formats/idx_pair.h"
#include "formats/image_form.h"
#include "formats/in_quotes.h"
#include "formats/npy_array.h"
#include "formats/on_all_cores.h"
#include "formats/tar.h"

namespace millrace {

WebDataset::WebDataset(const std::vector<std::filesystem::path>& shards,
                       const ImageOptions& options, std::optional<std::uint32_t> classes,
                       std::uint64_t most_decoded)
    : asked_(options), options_(options) {
  open(shards, classes, most_decoded);
  find_form(nullptr);
}

WebDataset::WebDataset(const std::vector<std::filesystem::path>& shards, const WebDataset& train,
                       std::uint64_t most_decoded)
    : asked_(train.asked_), options_(train.asked_) {
  open(shards, train.classes_, most_decoded);
  find_form(&train);
}

void WebDataset::open(const std::vector<std::filesystem::path>& shards,
                      std::optional<std::uint32_t> classes, std::uint64_t most_decoded) {
  if (shards.empty()) throw std::invalid_argument("WebDataset: expected shards, found none");
  name_ = shards.size() == 1 ? shards[0].string() : shards[0].parent_path().string();
  std::uint64_t seekable = 0;
  for (const auto& path : shards) seekable += RandomContent::seekable_size(path).value_or(0);
  // Those that are compressed are decoded here, unless they are by frames.
  shards_.resize(shards.size());
  on_all_cores(shards.size(), shards.size(), [&] {
    return [&](std::size_t i) {
      shards_[i] = std::make_unique<const RandomContent>(shards[i], seekable > most_decoded);
    };
  });
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    content_ += shards_[i]->size();
    index_shard(*shards_[i], static_cast<std::uint32_t>(i), classes.value_or(kMostIdxClasses),
                index_);
  }
  if (index_.samples.empty()) {
    const auto& left_out = index_.first_left_out;
    throw DataError(shards[left_out ? left_out->shard : 0], std::nullopt,
                    "samples like 000017.jpg and 000017.cls in the tar archive",
                    !left_out ? "none"
                              : fmt::format("none ({}, one of {} links and sparse files)",
                                            left_out->text(), index_.left_out));
  }
  classes_ =
      classes.value_or(static_cast<std::uint32_t>(*std::ranges::max_element(index_.labels)) + 1);
}

void WebDataset::find_form(const WebDataset* train) {
  if (index_.arrays) {
    // Each is looked at again when it is read.
    const auto& first = index_.samples.front();
    ContentReader from(*shards_[first.shard]);
    const auto name = name_of(first, from);
    const auto array = read_npy(name, stored(first, from));
    shape_.dims = array.dims;
    dtype_ = array.dtype;
    if (array.data.empty()) {
      throw DataError(name, std::nullopt, "an array of at least one element", array.describe());
    }
    return;
  }
  // Images beside arrays to train on are refused by their shape, by whoever has both.
  auto form = train != nullptr && !train->index_.arrays ? CommonImageForm(asked_, train->options_)
                                                        : CommonImageForm(asked_);
  if (form.wants_headers()) {
    std::optional<ContentReader> from;
    std::optional<PassedContent> passed;
    for (std::size_t i = 0; i < index_.samples.size(); ++i) {
      const auto& sample = index_.samples[i];
      if (i == 0 || sample.shard != index_.samples[i - 1].shard) {
        from.emplace(*shards_[sample.shard]);
        passed.emplace(*shards_[sample.shard]);
      }
      passed->reach(sample.header_at);
      const auto name = name_of(sample, *from);
      form.add(read_image_info(stored(sample, *from), name), name);
    }
  }
  options_ = form.options();
  shape_.dims = {options_.resize->height, options_.resize->width};
  if (options_.channels == ImageChannels::kRgb) shape_.dims.push_back(3);
}

std::span<const std::byte> WebDataset::stored(const WebIndex::Sample& sample,
                                              ContentReader& from) const {
  return from.bytes(sample.at, static_cast<std::size_t>(sample.bytes));
}

std::string WebDataset::name_of(const WebIndex::Sample& sample, ContentReader& from) const {
  const auto& path = shards_[sample.shard]->path();
  return name_within(path.string(), TarReader(path, from, sample.header_at).next()->header.path);
}

void WebDataset::decode(const WebIndex::Sample& sample, ContentReader& from,
                        std::span<std::byte> to) const {
  const auto name = name_of(sample, from);
  const auto content = stored(sample, from);
  if (!index_.arrays) {
    const Image image = decode_image(content, name, options_);
    if (image.pixels.size() != to.size()) throw std::logic_error("an image of another size");
    std::memcpy(to.data(), image.pixels.data(), to.size());
    return;
  }
  const auto array = read_npy(name, content);
  if (array.dims != shape_.dims || array.dtype != dtype_) {
    throw DataError(name, std::nullopt,
                    fmt::format("an array of {} {}, as the first is", fmt::join(shape_.dims, "x"),
                                millrace::name_of(dtype_)),
                    array.describe());
  }
  std::memcpy(to.data(), array.data.data(), to.size());
}

std::string WebDataset::hash() const {
  const std::scoped_lock lock(hash_mutex_);
  if (hash_.empty()) hash_ = hash_by_reading(*this);
  return hash_;
}

void WebDataset::read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
                      std::span<std::int32_t> labels) const {
  check_read(*this, ids, samples, labels);
  const auto bytes = static_cast<std::size_t>(sample_bytes());
  // In the order of the archives, so that a frame is decoded once for all of its samples.
  std::vector<std::size_t> order(ids.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [ids](std::size_t i) { return ids[i]; });
  std::optional<ContentReader> from;
  std::uint32_t shard = 0;
  for (const auto i : order) {
    const auto& sample = index_.samples[static_cast<std::size_t>(ids[i])];
    if (!from || sample.shard != shard) from.emplace(*shards_[shard = sample.shard]);
    decode(sample, *from, samples.subspan(i * bytes, bytes));
    labels[i] = index_.labels[static_cast<std::size_t>(ids[i])];
  }
}

bool WebDataset::on_disk() const noexcept {
  return std::ranges::all_of(shards_, [](const auto& shard) { return shard->on_disk(); });
}

std::vector<BlockDataset::Block> WebDataset::runs() const {
  std::vector<BlockDataset::Block> runs;
  const auto at_most = std::max<std::uint64_t>(1, kRunBytes / sample_bytes());
  std::size_t frame = 0;  // of the run's first sample
  for (std::uint64_t i = 0; i < size(); ++i) {
    const auto& sample = index_.samples[static_cast<std::size_t>(i)];
    const auto in = shards_[sample.shard]->frame_of(sample.header_at);
    const bool goes_on = i > 0 && in == frame && runs.back().count < at_most &&
                         sample.shard == index_.samples[static_cast<std::size_t>(i) - 1].shard;
    if (goes_on) {
      ++runs.back().count;
    } else {
      runs.push_back({.first = i, .count = 1});
      frame = in;
    }
  }
  return runs;
}

/// with(shard, at, bytes) for what samples [first, first + count) take of each shard.
template <typename Do>
void WebDataset::for_parts(std::uint64_t first, std::uint64_t count, Do with) const noexcept {
  const auto end = static_cast<std::size_t>(std::min(first + count, size()));
  for (auto i = static_cast<std::size_t>(first); i < end;) {
    const auto& begin = index_.samples[i];
    const auto* last = &begin;
    for (; i < end && index_.samples[i].shard == begin.shard; ++i) last = &index_.samples[i];
    with(*shards_[begin.shard], begin.header_at, last->at + last->bytes - begin.header_at);
  }
}

void WebDataset::expect(std::uint64_t first, std::uint64_t count) const noexcept {
  for_parts(first, count, [](const RandomContent& shard, std::uint64_t at, std::uint64_t bytes) {
    shard.expect(at, bytes);
  });
}

void WebDataset::forget(std::uint64_t first, std::uint64_t count) const noexcept {
  if (content_ <= kStays) return;
  for_parts(first, count, [](const RandomContent& shard, std::uint64_t at, std::uint64_t bytes) {
    shard.forget(at, bytes);
  });
}

}  // namespace millrace
