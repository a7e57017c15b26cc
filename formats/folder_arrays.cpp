#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "formats/array_dataset.h"
#include "formats/array_names.h"
#include "formats/bytes.h"
#include "formats/compression.h"
#include "formats/error.h"
#include "formats/folder_kinds.h"
#include "formats/in_quotes.h"
#include "formats/npy_array.h"
#include "formats/safetensors.h"
#include "formats/split_names.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kNpy = ".npy";
constexpr std::string_view kNpz = ".npz";
constexpr std::string_view kSafetensors = ".safetensors";

/// Arrays by name, none of them read yet.
struct NamedArrays {
  std::vector<std::string> names;
  std::vector<std::function<Array()>> read;
  std::vector<std::function<std::optional<std::string>()>> whole;  // why it is decoded whole

  void add(std::string name, std::function<Array()> reader,
           std::function<std::optional<std::string>()> why_whole) {
    names.push_back(std::move(name));
    read.push_back(std::move(reader));
    whole.push_back(std::move(why_whole));
  }
};

void add_npy(NamedArrays& arrays, const fs::path& file) {
  const auto name = plain_file_name(file);
  arrays.add(
      name.substr(0, name.size() - kNpy.size()), [file] { return read_npy(file); },
      [file] {
        return EncodedFile(file).compression() == Compression::kNone
                   ? std::nullopt
                   : std::optional<std::string>("a compressed file");
      });
}

/// In place where it is aligned.
Array tensor_array(const std::shared_ptr<const SafetensorsFile>& file, const TensorView& tensor) {
  Array array{.name = fmt::format("{}/{}", file->path().string(), tensor.name),
              .dtype = tensor.dtype,
              .dims = tensor.shape,
              .owner = file,
              .data = tensor.data,
              .mapped = true};
  if (reinterpret_cast<std::uintptr_t>(tensor.data.data()) % size_of(tensor.dtype) != 0) {
    auto copy = Bytes::allocate(tensor.data.size());
    std::memcpy(copy.writable().data(), tensor.data.data(), tensor.data.size());
    const auto owner = std::make_shared<const Bytes>(std::move(copy));
    array.data = owner->view();
    array.owner = owner;
    array.mapped = false;
  }
  return array;
}

/// What is in an npz or safetensors file. `split`: what names without one get in front.
void add_members(NamedArrays& arrays, const fs::path& file, const std::string& split) {
  const auto full_name = [&](const std::string& name) {
    const auto parsed = parse_array_name(name);
    return parsed && !parsed->split && !split.empty()
               ? fmt::format("{}_{}", split, parsed->role == ArrayRole::kSamples ? "x" : "y")
               : name;
  };
  if (plain_file_name(file).ends_with(kSafetensors)) {
    const auto opened = std::make_shared<const SafetensorsFile>(file);
    for (const auto& tensor : opened->tensors()) {
      arrays.add(
          full_name(tensor.name), [opened, &tensor] { return tensor_array(opened, tensor); },
          [] { return std::nullopt; });
    }
    return;
  }
  const auto archive = std::make_shared<const ZipFile>(file);
  for (const auto& member : archive->members()) {
    if (!member.name.ends_with(kNpy)) continue;
    arrays.add(
        full_name(member.name.substr(0, member.name.size() - kNpy.size())),
        [archive, &member] { return read_npy(*archive, member); },
        [] { return "an array in an archive"; });
  }
}

std::shared_ptr<const ArrayDataset> open_pair(const NamedArrays& arrays,
                                              const ArrayPairs::Pair& pair,
                                              std::optional<std::uint32_t> classes, Task task) {
  auto samples = arrays.read[pair.samples]();
  return std::make_shared<const ArrayDataset>(std::move(samples), arrays.read[pair.labels](),
                                              classes, task);
}

bool are_same(const Array& a, const Array& b) {
  return a.dtype == b.dtype && !a.dims.empty() && !b.dims.empty() && a.dims[0] == b.dims[0] &&
         std::ranges::equal(a.data, b.data);
}

/// Where the same samples are there as images and as vectors, as in scikit-learn's digits, takes
/// the name from the vectors. Returns the names that it took.
std::vector<fs::path> leave_out_vectors(NamedArrays& arrays) {
  std::vector<fs::path> left_out;
  std::map<std::optional<DataSplit>, std::size_t> kept;
  for (std::size_t i = 0; i < arrays.names.size(); ++i) {
    const auto name = parse_array_name(arrays.names[i]);
    if (!name || name->role != ArrayRole::kSamples) continue;
    const auto [found, is_first] = kept.try_emplace(name->split, i);
    if (is_first) continue;
    const auto before = arrays.read[found->second]();
    const auto now = arrays.read[i]();
    if (!are_same(before, now)) continue;
    std::size_t other = i;
    if (now.dims.size() > before.dims.size()) std::swap(other, found->second);
    left_out.emplace_back(std::exchange(arrays.names[other], {}));
  }
  return left_out;
}

/// nullopt if no array has a name that says samples or labels.
std::optional<DataFolder> open_pairs(const fs::path& path, NamedArrays arrays,
                                     const OpenOptions& options) {
  auto left_out = leave_out_vectors(arrays);
  const auto pairs = find_array_pairs(path.string(), arrays.names, options.own_validation);
  if (!pairs) return std::nullopt;
  if (options.in_blocks) {
    if (const auto found = arrays.whole[pairs->train.samples]()) {
      refuse_whole(path, path.string(), *found);
    }
  }
  auto train = open_pair(arrays, pairs->train, std::nullopt, options.task);
  const auto beside = [&](const auto& pair) {
    return pair ? open_pair(arrays, *pair, train->classes(), options.task) : nullptr;
  };
  auto test = beside(pairs->test);
  auto validation = beside(pairs->validation);
  auto opened =
      data_folder(path, train, std::move(test), options, "samples", std::move(validation));
  for (const auto i : pairs->left_out) left_out.emplace_back(arrays.names[i]);
  opened.description += left_out_text(left_out);
  return opened;
}

[[noreturn]] void fail_without_pairs(const fs::path& path, const NamedArrays& arrays) {
  constexpr std::size_t kShown = 5;
  std::vector<std::string> shown;
  for (const auto& name : arrays.names) {
    if (shown.size() < kShown) shown.push_back(in_quotes(name));
  }
  throw DataError(path, std::nullopt,
                  "arrays named like x_train and y_train, train_images and train_labels, or images "
                  "and labels",
                  shown.empty() ? "none"
                                : fmt::format("{}{}", fmt::join(shown, ", "),
                                              arrays.names.size() > kShown ? ", …" : ""));
}

DataFolder open_container(const fs::path& file, const OpenOptions& options) {
  NamedArrays arrays;
  add_members(arrays, file, "");
  if (auto opened = open_pairs(file, arrays, options)) return std::move(*opened);
  fail_without_pairs(file, arrays);
}

/// One file with everything, or one for each split.
std::optional<DataFolder> open_containers(const fs::path& folder, std::string_view ending,
                                          const OpenOptions& options) {
  const auto files = files_ending_in(folder, ending);
  if (files.empty()) return std::nullopt;
  if (files.size() == 1) {
    NamedArrays arrays;
    add_members(arrays, files[0], "");
    auto opened = open_pairs(files[0], arrays, options);
    // Most safetensors files are models.
    if (!opened && ending == kNpz) fail_without_pairs(files[0], arrays);
    return opened;
  }
  const auto splits = split_files(files, options.own_validation);
  if (splits.train.size() != 1 || splits.test.size() > 1 || splits.validation.size() > 1) {
    if (ending == kSafetensors) return std::nullopt;
    std::vector<std::string> names;
    names.reserve(files.size());
    for (const auto& file : files) names.push_back(file.string());
    throw DataError(folder, std::nullopt, "one data set",
                    fmt::format("{}; choose one of {}", files.size(), fmt::join(names, ", ")));
  }
  NamedArrays arrays;
  add_members(arrays, splits.train[0], "train");
  if (!splits.test.empty()) add_members(arrays, splits.test[0], "test");
  if (!splits.validation.empty()) add_members(arrays, splits.validation[0], "val");
  auto opened = open_pairs(folder, arrays, options);
  if (!opened && ending == kNpz) fail_without_pairs(folder, arrays);
  if (opened) opened->description += left_out_text(splits.left_out);
  return opened;
}

}  // namespace

std::optional<DataFolder> open_array_folder(const fs::path& folder, const OpenOptions& options) {
  NamedArrays arrays;
  for (const auto& file : files_ending_in(folder, kNpy)) add_npy(arrays, file);
  if (auto opened = open_pairs(folder, arrays, options)) return opened;
  for (const auto ending : {kNpz, kSafetensors}) {
    if (auto opened = open_containers(folder, ending, options)) return opened;
  }
  return std::nullopt;
}

std::optional<DataFolder> open_array_file(const fs::path& path, const OpenOptions& options) {
  const auto name = plain_file_name(path);
  if (name.ends_with(kNpz) || name.ends_with(kSafetensors)) return open_container(path, options);
  if (!name.ends_with(kNpy)) return std::nullopt;
  // The pair that it belongs to, among its neighbours.
  const auto meant = parse_array_name(name.substr(0, name.size() - kNpy.size()));
  if (!meant) {
    throw DataError(path, std::nullopt,
                    "a name like x_train.npy, beside y_train.npy, or train_images.npy", "another");
  }
  NamedArrays arrays;
  const auto folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  add_npy(arrays, path);
  for (const auto& file : files_ending_in(folder, kNpy)) {
    const auto plain = plain_file_name(file);
    const auto other = parse_array_name(plain.substr(0, plain.size() - kNpy.size()));
    if (other && other->split == meant->split && other->role != meant->role) add_npy(arrays, file);
  }
  // Whatever its name says, it is what there is to train on.
  for (auto& plain : arrays.names) {
    plain = parse_array_name(plain)->role == ArrayRole::kSamples ? "x" : "y";
  }
  return open_pairs(path, arrays, options);
}

}  // namespace millrace
