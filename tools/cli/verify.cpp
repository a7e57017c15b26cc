#include "tools/cli/verify.h"

#include <fmt/format.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <map>
#include <mutex>
#include <span>
#include <utility>

#include "formats/class_sizes.h"
#include "formats/idx_names.h"
#include "formats/idx_pair.h"
#include "formats/targets.h"
#include "tools/cli/idx_files.h"
#include "tools/cli/shard_files.h"
#include "tools/cli/verify_samples.h"
#include "tools/cli/verify_shards.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

bool is_integer(DType dtype) {
  return dtype == DType::kUInt8 || dtype == DType::kInt8 || dtype == DType::kInt16 ||
         dtype == DType::kInt32;
}

/// One label in host order.
std::int64_t label_at(const std::byte* at, DType dtype) {
  const auto load = [at](auto value) {
    std::memcpy(&value, at, sizeof(value));
    return static_cast<std::int64_t>(value);
  };
  switch (dtype) {
    case DType::kUInt8:
      return load(std::uint8_t{});
    case DType::kInt8:
      return load(std::int8_t{});
    case DType::kInt16:
      return load(std::int16_t{});
    default:
      return load(std::int32_t{});
  }
}

LabelCheck check_targets(const SalvagedIdx& labels, const LabelKind& known) {
  const std::uint32_t expected = known.targets;
  LabelCheck check;
  const auto& header = *labels.header();
  const auto targets = static_cast<std::uint32_t>(targets_in(header.dims));
  if (targets == 0 || (expected != 0 && targets != expected)) {
    check.faults.push_back({.what = fmt::format("expected targets, {} of each sample, found {}",
                                                expected == 0 ? fmt::format("1 to {}", kMostTargets)
                                                              : std::to_string(expected),
                                                header.describe()),
                            .samples = {0, labels.samples()}});
    return check;
  }
  check.targets = targets;
  const auto width = size_of(header.dtype);
  std::vector<std::int32_t> words(targets);
  labels.read([&](std::uint64_t first, std::span<const std::byte> bytes) {
    for (std::size_t i = 0; i < bytes.size() / (width * targets); ++i) {
      const auto sample = first + i;
      auto bad =
          read_targets(header.dtype, bytes.subspan(i * width * targets, width * targets), words);
      const bool number = !bad;
      if (number && known.task == Task::kMultilabel) bad = find_no_label(words);
      if (!bad) continue;
      const auto at = static_cast<std::size_t>(sample) * targets + bad->at;
      check.faults.push_back(
          {.what = fmt::format(
               "byte {}: expected {}, found {}", header.header_bytes() + at * width,
               number ? no_label_text(bad->at, sample) : expected_target(at, targets), bad->found),
           .samples = {sample, 1}});
    }
  });
  return check;
}

/// What is known of the two files of one split.
struct Pair {
  std::size_t images = 0;  // place among the files + 1; 0: none
  std::size_t labels = 0;
};

}  // namespace

std::string no_label_text(std::size_t label, std::uint64_t sample) {
  return fmt::format("0 or 1 as label {} of sample {}", label, sample);
}

std::uint64_t Verification::faults() const noexcept {
  std::uint64_t count = 0;
  for (const auto& file : files) count += file.faults.size();
  return count;
}

void each_label(const SalvagedIdx& labels,
                const std::function<void(std::uint64_t sample, std::int64_t label)>& take) {
  const auto dtype = labels.header()->dtype;
  const auto width = size_of(dtype);
  labels.read([&](std::uint64_t first, std::span<const std::byte> bytes) {
    for (std::size_t i = 0; i < bytes.size() / width; ++i) {
      take(first + i, label_at(&bytes[i * width], dtype));
    }
  });
}

LabelCheck check_labels(const SalvagedIdx& labels, const LabelKind& known) {
  LabelCheck check;
  if (!labels.header()) return check;
  if (known.task != Task::kClassification) return check_targets(labels, known);
  const auto& header = *labels.header();
  if (header.dims.size() != 1 || !is_integer(header.dtype)) {
    check.faults.push_back(
        {.what = fmt::format("expected labels, of rank 1 and an integer type, found {}{}",
                             header.describe(),
                             header.dims.size() <= 2 ? kRegressionAdvice : std::string_view()),
         .samples = {0, labels.samples()}});
    return check;
  }
  const std::uint32_t limit = known.classes == 0 ? kMostIdxClasses : known.classes;
  each_label(labels, [&](std::uint64_t sample, std::int64_t label) {
    if (label >= 0 && label < std::int64_t{limit}) {
      const auto place = static_cast<std::size_t>(label);
      if (place >= check.sizes.size()) check.sizes.resize(place + 1);
      ++check.sizes[place];
      return;
    }
    check.faults.push_back(
        {.what = fmt::format("byte {}: expected a label in [0, {}), found {}",
                             header.header_bytes() + sample * size_of(header.dtype), limit, label),
         .samples = {sample, 1}});
  });
  return check;
}

Verification verify(const fs::path& path, const FileProgress& progress,
                    const OpenOptions& options) {
  // IDX files and shards are looked at as files, whatever they hold; and they have no columns.
  const bool as_files = options.label_column.empty() && options.table == TableOptions{} &&
                        (is_sharded(path) || has_idx_files(path));
  if (!as_files) return verify_samples(path, options, progress);
  if (is_sharded(path)) return verify_shards(path, options.task, progress);
  Verification result;
  const auto paths = idx_files_at(path);
  // By variant and split.
  std::map<std::pair<std::string, DataSplit>, Pair> pairs;
  // What holds labels is kept until the classes are known.
  std::vector<std::optional<SalvagedIdx>> labels(paths.size());
  result.files.resize(paths.size());
  std::mutex mutex;
  std::size_t done = 0;
  bool stopped = false;
  tbb::parallel_for(std::size_t{0}, paths.size(), [&](std::size_t i) {
    {
      const std::scoped_lock lock(mutex);
      if (stopped) return;
    }
    SalvagedIdx salvaged(paths[i]);
    result.files[i] = {.path = paths[i],
                       .form = salvaged.form(),
                       .samples = salvaged.samples(),
                       .frames = salvaged.frames(),
                       .faults = salvaged.faults()};
    const auto name = *parse_idx_name(paths[i].filename().string());
    const std::scoped_lock lock(mutex);
    if (name.role == IdxRole::kLabels) labels[i] = std::move(salvaged);
    auto& pair = pairs[{name.variant, name.split}];
    (name.role == IdxRole::kImages ? pair.images : pair.labels) = i + 1;
    if (!stopped && !progress(++done, paths.size())) stopped = true;
  });
  if (stopped) return result;
  std::map<std::string, LabelKind> kinds;  // of training labels, by variant
  for (const auto& [key, pair] : pairs) {  // training comes first
    if (pair.labels == 0) continue;
    const auto& salvaged = *labels[pair.labels - 1];
    const auto known = kinds.find(key.first);
    const bool is_beside = key.second != DataSplit::kTrain && known != kinds.end();
    auto& file = result.files[pair.labels - 1];
    auto check =
        check_labels(salvaged, is_beside ? known->second : LabelKind{.task = options.task});
    if (key.second == DataSplit::kTrain && file.faults.empty() && check.faults.empty()) {
      kinds[key.first] = {.task = options.task,
                          .classes = static_cast<std::uint32_t>(check.sizes.size()),
                          .targets = check.targets};
      if (auto note = empty_classes_text(check.sizes); !note.empty()) {
        file.notes.push_back(std::move(note));
      }
    }
    std::ranges::move(check.faults, std::back_inserter(file.faults));
  }
  for (const auto& [key, pair] : pairs) {
    if (pair.images == 0 || pair.labels == 0) {
      if (!fs::is_directory(path)) continue;  // one file was asked for
      const auto role = pair.images == 0 ? IdxRole::kImages : IdxRole::kLabels;
      auto& file = result.files[std::max(pair.images, pair.labels) - 1];
      file.faults.push_back({.what = fmt::format("expected a {} {} file beside it, found none",
                                                 name_of(key.second), name_of(role)),
                             .samples = {}});
      continue;
    }
    const auto& images = result.files[pair.images - 1];
    auto& label_file = result.files[pair.labels - 1];
    // What cannot be read has been said.
    if (images.samples == label_file.samples || images.samples == 0 || label_file.samples == 0)
      continue;
    label_file.faults.push_back(
        {.what = fmt::format("byte 4: expected {} labels, one for each image in {}, "
                             "found {}",
                             images.samples, images.path.string(), label_file.samples),
         .samples = {}});
  }
  return result;
}

}  // namespace millrace
