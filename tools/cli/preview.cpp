#include "tools/cli/preview.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <span>
#include <utility>

#include "formats/error.h"
#include "formats/folder.h"
#include "formats/image_layout.h"
#include "loader/permutation.h"
#include "loader/readable.h"

namespace millrace {
namespace {

constexpr std::uint64_t kTogether = 64;  // samples read at a time

std::string class_name(const Dataset& data, std::int32_t label) {
  const auto number = static_cast<std::size_t>(label);
  const auto& names = data.class_names();
  return number < names.size() ? names[number] : std::to_string(label);
}

/// The first of them.
std::string text_of(std::span<const float> targets) {
  constexpr std::size_t kShown = 3;
  const auto shown = targets.first(std::min(kShown, targets.size()));
  std::string text;
  for (const float target : shown)
    text += fmt::format("{}{:.5g}", text.empty() ? "" : ", ", target);
  return text + (targets.size() > kShown ? ", ..." : "");
}

std::int32_t class_called(const Dataset& data, const std::string& only) {
  if (data.task() == Task::kRegression) {
    throw DataError(data.name(), std::nullopt, "classes, of which one is asked for (--class)",
                    describe_labels(data));
  }
  for (std::uint32_t label = 0; label < data.classes(); ++label) {
    if (class_name(data, static_cast<std::int32_t>(label)) == only) {
      return static_cast<std::int32_t>(label);
    }
  }
  std::uint32_t label = 0;
  const auto [end, code] = std::from_chars(only.data(), only.data() + only.size(), label);
  if (code == std::errc{} && end == only.data() + only.size() && label < data.classes()) {
    return static_cast<std::int32_t>(label);
  }
  constexpr std::uint32_t kShown = 12;
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < std::min(kShown, data.classes()); ++i) {
    names.push_back(class_name(data, static_cast<std::int32_t>(i)));
  }
  throw DataError(
      data.name(), std::nullopt,
      fmt::format("a class: {}{}", fmt::join(names, ", "), data.classes() > kShown ? ", …" : ""),
      only);
}

/// Samples as they are stored, some of which may be unreadable.
struct Taken {
  std::vector<PreviewSample> samples;
  std::vector<std::byte> bytes;  // [samples, sample_bytes]
};

void take(const Dataset& data, std::span<const std::uint64_t> ids, std::optional<std::int32_t> only,
          std::uint64_t count, Taken& taken) {
  const auto size = static_cast<std::size_t>(data.sample_bytes());
  const auto known = data.labels();
  std::vector<std::byte> bytes(ids.size() * size);
  const std::size_t words = data.label_words();
  std::vector<std::int32_t> labels(ids.size() * words);
  const auto bad = read_readable(data, ids, bytes, labels);
  auto next = bad.begin();
  for (std::size_t i = 0; i < ids.size() && taken.samples.size() < count; ++i) {
    PreviewSample sample{.number = ids[i]};
    auto label = std::span<const std::int32_t>(labels).subspan(i * words, words);
    if (next != bad.end() && next->place == i) sample.reason = (next++)->sample.reason;
    if (!known.empty()) label = known.subspan(static_cast<std::size_t>(ids[i]) * words, words);
    if (data.task() == Task::kRegression) {
      for (const auto word : label) sample.targets.push_back(target_of(word));
      sample.name = text_of(sample.targets);
    } else {
      sample.label = label[0];
      if (only && sample.label != *only) continue;
      sample.name = class_name(data, sample.label);
    }
    const auto from = bytes.begin() + static_cast<std::ptrdiff_t>(i * size);
    taken.bytes.insert(taken.bytes.end(), from, from + static_cast<std::ptrdiff_t>(size));
    taken.samples.push_back(std::move(sample));
  }
}

Taken choose(const Dataset& data, const PreviewSpec& spec) {
  std::optional<std::int32_t> only;
  if (!spec.only.empty()) only = class_called(data, spec.only);
  const auto known = data.labels();
  Permutation order;
  if (spec.shuffle) order = Permutation(data.size(), spec.seed, 0);
  Taken taken;
  std::vector<std::uint64_t> ids;
  for (std::uint64_t i = 0; i < data.size() && taken.samples.size() < spec.count; ++i) {
    const std::uint64_t id = spec.shuffle ? order(i) : i;
    if (known.empty() || !only || known[static_cast<std::size_t>(id)] == *only) ids.push_back(id);
    const bool enough = taken.samples.size() + ids.size() >= spec.count || i + 1 == data.size();
    if (ids.size() < kTogether && !enough) continue;
    take(data, ids, only, spec.count, taken);
    ids.clear();
  }
  if (taken.samples.empty()) {
    throw DataError(data.name(), "has no sample of class " + class_name(data, only.value_or(0)));
  }
  return taken;
}

Picture picture_at(const Dataset& data, std::span<const std::byte> sample) {
  auto picture = picture_of(data.shape(), data.dtype(), sample);
  if (picture) return std::move(*picture);
  throw DataError(
      data.name(), std::nullopt,
      "pictures, [height, width], [height, width, 3] or [3, height, width], of sides of "
      "at most 4096",
      fmt::format("samples of [{}]{}", fmt::join(data.shape().dims, ", "),
                  flat_hint(data.shape())));
}

}  // namespace

Preview preview(const PreviewSpec& spec) {
  const DataFolder folder =
      open_folder(spec.data, {.image = spec.images,
                              .task = spec.task,
                              .label_column = spec.label_column,
                              .own_validation = spec.split == DataSplit::kValidation,
                              .tolerant = true,
                              .table = spec.table});
  const auto& shown = spec.split == DataSplit::kTrain  ? folder.train
                      : spec.split == DataSplit::kTest ? folder.test
                                                       : folder.validation;
  if (!shown) throw DataError(spec.data, fmt::format("has no {} set", name_of(spec.split)));
  const Dataset& data = *shown;
  std::optional<Augmenter> augmenter;
  if (spec.augment.enabled()) {
    augmenter.emplace(spec.augment, data.shape(), data.dtype(), spec.seed);
  }
  Taken taken = choose(data, spec);
  Preview result;
  result.data = data.name();
  const auto size = static_cast<std::size_t>(data.sample_bytes());
  for (std::size_t i = 0; i < taken.samples.size(); ++i) {
    const auto& sample = taken.samples[i];
    const auto bytes = std::span(taken.bytes).subspan(i * size, size);
    result.pictures.push_back(
        {picture_at(data, bytes), sample.reason.empty() ? sample.name : "unreadable"});
    for (std::uint32_t copy = 0; augmenter && copy < spec.copies; ++copy) {
      std::vector<std::byte> distorted(bytes.begin(), bytes.end());
      augmenter->apply(copy, {&sample.number, 1}, distorted);
      result.pictures.push_back({picture_at(data, distorted), fmt::format("epoch {}", copy)});
    }
  }
  result.samples = std::move(taken.samples);
  if (data.dtype() != DType::kUInt8) {
    result.note =
        fmt::format("{} samples are shown stretched, each from its least value to its largest",
                    name_of(data.dtype()));
  }
  return result;
}

}  // namespace millrace
