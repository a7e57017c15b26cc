#include "tools/cli/verify_samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <numeric>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "formats/cifar.h"
#include "formats/class_sizes.h"
#include "formats/image_folder.h"
#include "formats/split_names.h"
#include "formats/targets.h"
#include "loader/parallel_blocks.h"
#include "loader/readable.h"

namespace millrace {
namespace {

constexpr std::uint64_t kTogether = 16;  // samples that one core reads at a time

std::string form_of(const Dataset& data) {
  if (dynamic_cast<const ImageFolder*>(&data) != nullptr) return "images";
  if (dynamic_cast<const CifarDataset*>(&data) != nullptr) return "cifar";
  std::filesystem::path path = data.name();
  std::error_code ignored;
  // A container's name may be followed by the array's.
  if (!std::filesystem::exists(path, ignored)) path = path.parent_path();
  const auto extension = std::filesystem::path(plain_file_name(path)).extension().string();
  return is_named_as_data(path) ? extension.substr(1) : "samples";
}

// Of those whose labels are neither 0 nor 1. What could not be read is 0.
void add_no_labels(const Dataset& data, std::uint64_t first, std::span<const std::int32_t> words,
                   std::vector<IdxFault>& faults) {
  const std::size_t labels = data.targets();
  for (std::size_t i = 0; i < words.size() / labels; ++i) {
    const auto other = find_no_label(words.subspan(i * labels, labels));
    if (!other) continue;
    faults.push_back({.what = fmt::format("{}: expected {}, found {}", data.name(),
                                          no_label_text(other->at, first + i), other->found),
                      .samples = {first + i, 1}});
  }
}

VerifiedFile read_all(const Dataset& data, Task task,
                      const std::function<bool(std::uint64_t)>& done) {
  VerifiedFile result{
      .path = data.name(), .form = form_of(data), .samples = data.size(), .faults = {}};
  std::vector<IdxFault> faults;
  std::mutex mutex;
  std::atomic<bool> stopped = false;
  for_each_block(data.size(), kTogether, 0, [&](std::uint64_t first, std::uint64_t count) {
    if (stopped) return;
    std::vector<std::uint64_t> ids(count);
    std::iota(ids.begin(), ids.end(), first);
    std::vector<std::byte> samples(count * data.sample_bytes());
    std::vector<std::int32_t> labels(count * data.label_words());
    auto found = read_readable(data, ids, samples, labels);
    const std::scoped_lock lock(mutex);
    for (auto& one : found) {
      faults.push_back({.what = std::move(one.sample.reason), .samples = {one.sample.id, 1}});
    }
    if (task == Task::kMultilabel) add_no_labels(data, first, labels, faults);
    if (!done(count)) stopped = true;
  });
  std::ranges::sort(faults, {}, [](const IdxFault& fault) { return fault.samples.first; });
  result.faults = std::move(faults);
  return result;
}

}  // namespace

Verification verify_samples(const std::filesystem::path& path, OpenOptions options,
                            const FileProgress& progress) {
  const Task task = options.task;
  options.task = stored_task(task);
  options.tolerant = true;
  options.own_validation = true;
  const auto opened = open_folder(path, options);
  std::uint64_t all = 0;
  for (const auto& data : {opened.train, opened.test, opened.validation}) {
    if (data) all += data->size();
  }
  std::uint64_t done = 0;
  bool stopped = false;
  const auto advance = [&](std::uint64_t count) {
    done += count;
    stopped = stopped || !progress(done, all);
    return !stopped;
  };
  Verification result;
  result.files.push_back(read_all(*opened.train, task, advance));
  if (auto note = empty_classes_text(class_sizes(*opened.train)); !note.empty()) {
    result.files.back().notes.push_back(std::move(note));
  }
  for (const auto& data : {opened.test, opened.validation}) {
    if (data && !stopped) result.files.push_back(read_all(*data, task, advance));
  }
  return result;
}

}  // namespace millrace
