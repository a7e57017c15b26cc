#include "tools/cli/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <map>
#include <span>
#include <utility>

#include "formats/idx_names.h"
#include "formats/idx_pair.h"
#include "tools/cli/idx_files.h"

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

/// What is known of the two files of one split.
struct Pair {
  std::size_t images = 0;  // place among the files + 1; 0: none
  std::size_t labels = 0;
};

}  // namespace

std::uint64_t Verification::faults() const noexcept {
  std::uint64_t count = 0;
  for (const auto& file : files) count += file.faults.size();
  return count;
}

std::vector<IdxFault> label_faults(const SalvagedIdx& labels, std::uint32_t classes) {
  std::vector<IdxFault> faults;
  if (!labels.header()) return faults;
  const auto& header = *labels.header();
  if (header.dims.size() != 1 || !is_integer(header.dtype)) {
    faults.push_back(
        {.what = fmt::format("expected labels, of rank 1 and an integer type, found {}",
                             header.describe()),
         .samples = {0, labels.samples()}});
    return faults;
  }
  const std::uint32_t limit = classes == 0 ? kMostIdxClasses : classes;
  each_label(labels, [&](std::uint64_t sample, std::int64_t label) {
    if (label >= 0 && label < std::int64_t{limit}) return;
    faults.push_back(
        {.what = fmt::format("byte {}: expected a label in [0, {}), found {}",
                             header.header_bytes() + sample * size_of(header.dtype), limit, label),
         .samples = {sample, 1}});
  });
  return faults;
}

Verification verify(const fs::path& path,
                    const std::function<bool(std::size_t, std::size_t)>& progress) {
  Verification result;
  const auto paths = idx_files_at(path);
  // By variant and split; training comes first, for its classes.
  std::map<std::pair<std::string, IdxSplit>, Pair> pairs;
  std::map<std::string, std::uint32_t> classes;
  std::vector<std::size_t> order(paths.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, {}, [&](std::size_t i) {
    return parse_idx_name(paths[i].filename().string())->split;
  });
  result.files.resize(paths.size());
  std::size_t done = 0;
  for (const auto i : order) {
    const auto name = *parse_idx_name(paths[i].filename().string());
    const SalvagedIdx salvaged(paths[i]);
    auto& file = result.files[i];
    file = {.path = paths[i],
            .form = salvaged.form(),
            .samples = salvaged.samples(),
            .frames = salvaged.frames(),
            .faults = salvaged.faults()};
    auto& pair = pairs[{name.variant, name.split}];
    (name.role == IdxRole::kImages ? pair.images : pair.labels) = i + 1;
    if (name.role == IdxRole::kLabels) {
      const auto known = classes.find(name.variant);
      const bool is_test = name.split == IdxSplit::kTest && known != classes.end();
      auto faults = label_faults(salvaged, is_test ? known->second : 0);
      const bool readable = salvaged.header() && salvaged.header()->dims.size() == 1 &&
                            is_integer(salvaged.header()->dtype);
      if (name.split == IdxSplit::kTrain && readable && faults.empty() && file.faults.empty()) {
        std::int64_t most = 0;
        each_label(salvaged,
                   [&](std::uint64_t, std::int64_t label) { most = std::max(most, label); });
        classes[name.variant] = static_cast<std::uint32_t>(most) + 1;
      }
      std::ranges::move(faults, std::back_inserter(file.faults));
    }
    if (!progress(++done, paths.size())) break;
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
    auto& labels = result.files[pair.labels - 1];
    // What cannot be read has been said.
    if (images.samples == labels.samples || images.samples == 0 || labels.samples == 0) continue;
    labels.faults.push_back(
        {.what = fmt::format("byte 4: expected {} labels, one for each image in {}, "
                             "found {}",
                             images.samples, images.path.string(), labels.samples),
         .samples = {}});
  }
  return result;
}

}  // namespace millrace
