#include "formats/webdataset.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>
#include <numeric>
#include <stdexcept>
#include <string_view>

#include "formats/error.h"
#include "formats/idx_pair.h"
#include "formats/image_form.h"
#include "formats/in_quotes.h"
#include "formats/npy_array.h"
#include "formats/tar.h"

namespace millrace {
namespace {

constexpr char kRegular = '0';
constexpr std::string_view kClass = "cls";
constexpr std::string_view kJson = "json";
constexpr std::string_view kNpy = "npy";

/// A member's path, cut where WebDataset cuts it.
struct MemberName {
  std::string_view key;   // with the folders
  std::string_view kind;  // what follows the first '.' of the file's name
};

/// nullopt for hidden files and names without '.'.
std::optional<MemberName> parse_name(std::string_view path) {
  const auto slash = path.rfind('/');
  const auto base = slash == std::string_view::npos ? 0 : slash + 1;
  const auto dot = path.find('.', base);
  if (dot == std::string_view::npos || dot == base) return std::nullopt;
  return MemberName{.key = path.substr(0, dot), .kind = path.substr(dot + 1)};
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A whole number with nothing but blanks and line breaks around it.
std::optional<std::int64_t> parse_class(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return std::nullopt;
  text = text.substr(first, text.find_last_not_of(kBlank) + 1 - first);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// {"label": N, …}.
std::optional<std::int64_t> parse_json_label(std::string_view text) {
  // Without exceptions; a document nested so deep that it would end the stack is none.
  constexpr int kDeepest = 64;
  bool too_deep = false;
  const auto json = nlohmann::json::parse(
      text,
      [&too_deep](int depth, nlohmann::json::parse_event_t, const nlohmann::json&) {
        too_deep = too_deep || depth > kDeepest;
        return !too_deep;
      },
      false);
  if (too_deep || !json.is_object()) return std::nullopt;
  const auto label = json.find("label");
  if (label == json.end() || !label->is_number_integer()) return std::nullopt;
  if (label->is_number_unsigned()) {
    const auto value = label->get<std::uint64_t>();
    return value > kMostIdxClasses ? std::int64_t{kMostIdxClasses}
                                   : static_cast<std::int64_t>(value);
  }
  return label->get<std::int64_t>();
}

/// Lets go of what lies behind somebody who goes through a large file from front to back.
class Passed {
 public:
  explicit Passed(const RandomContent& content) : content_(content) {}

  void reach(std::uint64_t at) {
    constexpr std::uint64_t kStep = std::uint64_t{4} << 20;
    if (content_.size() <= DiskDataset::kStays || at < from_ + kStep) return;
    content_.forget(from_, at - from_);
    from_ = at;
  }

 private:
  const RandomContent& content_;
  std::uint64_t from_ = 0;
};

}  // namespace

/// Goes through one shard and appends its samples.
class WebDataset::Indexer {
 public:
  Indexer(WebDataset& data, std::uint32_t shard, std::uint32_t limit)
      : data_(data), shard_(shard), limit_(limit), content_(*data.shards_[shard]) {}

  void run() {
    TarReader reader(data_.shards_[shard_]->path(), content_);
    while (auto member = reader.next()) {
      passed_.reach(member->header_at);
      if (member->header.type != kRegular) continue;
      const auto name = parse_name(member->header.path);
      if (!name) continue;
      if (name->key != key_) {
        finish();
        key_ = name->key;
      }
      take(*member, *name);
    }
    finish();
  }

 private:
  [[noreturn]] void fail(std::string_view member, std::string_view expected,
                         std::string_view found) const {
    throw DataError(name_within(data_.shards_[shard_]->path().string(), member), std::nullopt,
                    expected, found);
  }

  void take(const TarMember& member, const MemberName& name) {
    const auto& path = member.header.path;
    const auto text = [&] {
      return text_of(
          content_.bytes(member.content_at, static_cast<std::size_t>(member.header.size)));
    };
    const bool array = name.kind == kNpy;
    // Of "seg.png" too, which stands beside "jpg" in some sets, the last word says what it is.
    if (array || has_image_name(fmt::format("x.{}", name.kind))) {
      if (sample_) fail(path, "one image or array in a sample", "a second one");
      if (!data_.samples_.empty() && array != data_.arrays_) {
        fail(path,
             data_.arrays_ ? "an array, as the samples before it are"
                           : "an image, as the samples before it are",
             array ? "an array" : "an image");
      }
      data_.arrays_ = array;
      sample_ = Sample{.shard = shard_,
                       .header_at = member.header_at,
                       .at = member.content_at,
                       .bytes = member.header.size};
    } else if (name.kind == kClass) {
      if (from_class_) fail(path, "one label in a sample", "a second one");
      const auto label = text();
      from_class_ = checked(path, parse_class(label), "a class as text", label);
    } else if (name.kind == kJson) {
      json_path_ = path;
      json_ = text();
    }
  }

  std::int32_t checked(std::string_view path, std::optional<std::int64_t> value,
                       std::string_view what, std::string_view text) const {
    if (!value || *value < 0 || *value >= limit_) {
      fail(path, fmt::format("{}, a whole number in [0, {})", what, limit_), in_quotes(text));
    }
    return static_cast<std::int32_t>(*value);
  }

  void finish() {
    auto label = from_class_;
    if (sample_ && !label && json_) {
      label = checked(json_path_, parse_json_label(*json_), "an object with a \"label\"", *json_);
    }
    if (sample_ && !label) fail(key_, "a label (.cls or .json) in the sample", "none");
    if (!sample_ && from_class_) fail(key_, "an image or array in the sample", "a label alone");
    if (sample_) {
      data_.samples_.push_back(*sample_);
      data_.labels_.push_back(*label);
    }
    sample_.reset();
    from_class_.reset();
    json_.reset();
  }

  WebDataset& data_;
  std::uint32_t shard_;
  std::uint32_t limit_;
  ContentReader content_;
  Passed passed_{*data_.shards_[shard_]};
  std::string key_;
  std::optional<Sample> sample_;
  std::optional<std::int32_t> from_class_;
  std::optional<std::string> json_;
  std::string json_path_;
};

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
  for (const auto& path : shards) {
    shards_.push_back(std::make_unique<const RandomContent>(path, seekable > most_decoded));
    content_ += shards_.back()->size();
    Indexer(*this, static_cast<std::uint32_t>(shards_.size() - 1),
            classes.value_or(kMostIdxClasses))
        .run();
  }
  if (samples_.empty()) {
    throw DataError(shards[0], std::nullopt,
                    "samples like 000017.jpg and 000017.cls in the tar archive", "none");
  }
  classes_ = classes.value_or(static_cast<std::uint32_t>(*std::ranges::max_element(labels_)) + 1);
}

void WebDataset::find_form(const WebDataset* train) {
  if (arrays_) {
    // Each is looked at again when it is read.
    const auto& first = samples_.front();
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
  auto form = train != nullptr && !train->arrays_ ? CommonImageForm(asked_, train->options_)
                                                  : CommonImageForm(asked_);
  if (form.wants_headers()) {
    std::optional<ContentReader> from;
    std::optional<Passed> passed;
    for (std::size_t i = 0; i < samples_.size(); ++i) {
      const auto& sample = samples_[i];
      if (i == 0 || sample.shard != samples_[i - 1].shard) {
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

std::span<const std::byte> WebDataset::stored(const Sample& sample, ContentReader& from) const {
  return from.bytes(sample.at, static_cast<std::size_t>(sample.bytes));
}

std::string WebDataset::name_of(const Sample& sample, ContentReader& from) const {
  const auto& path = shards_[sample.shard]->path();
  return name_within(path.string(), TarReader(path, from, sample.header_at).next()->header.path);
}

void WebDataset::decode(const Sample& sample, ContentReader& from, std::span<std::byte> to) const {
  const auto name = name_of(sample, from);
  const auto content = stored(sample, from);
  if (!arrays_) {
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
    const auto& sample = samples_[static_cast<std::size_t>(ids[i])];
    if (!from || sample.shard != shard) from.emplace(*shards_[shard = sample.shard]);
    decode(sample, *from, samples.subspan(i * bytes, bytes));
    labels[i] = labels_[static_cast<std::size_t>(ids[i])];
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
    const auto& sample = samples_[static_cast<std::size_t>(i)];
    const auto in = shards_[sample.shard]->frame_of(sample.header_at);
    const bool goes_on = i > 0 && in == frame && runs.back().count < at_most &&
                         sample.shard == samples_[static_cast<std::size_t>(i) - 1].shard;
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
    const auto& begin = samples_[i];
    const auto* last = &begin;
    for (; i < end && samples_[i].shard == begin.shard; ++i) last = &samples_[i];
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
