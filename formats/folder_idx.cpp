#include <fmt/format.h>
#include <fmt/ranges.h>

#include <future>
#include <system_error>
#include <utility>
#include <vector>

#include "formats/compression.h"
#include "formats/error.h"
#include "formats/folder_kinds.h"
#include "formats/idx_dataset.h"
#include "formats/idx_names.h"
#include "formats/seekable_dataset.h"

namespace millrace {
namespace {

constexpr std::string_view kEmnistPrefix = "emnist-";

struct Pair {
  std::filesystem::path path;      // of the images
  std::optional<IdxArray> images;  // none: left on disk
  IdxArray labels;
};

/// Images that are no SeekableDataset, before they are read.
void refuse_undivided(const std::filesystem::path& path, const std::filesystem::path& images) {
  if (const auto found = compressed_whole(images)) refuse_whole(path, images.string(), *found);
  if (EncodedFile(images).compression() != Compression::kNone) {
    refuse_whole(path, images.string(), "a zstd file, of frames that hold no whole samples,");
  }
  const auto dtype = read_idx_header(images).dtype;
  if (size_of(dtype) > 1) {
    refuse_whole(path, images.string(), fmt::format("a file of big-endian {}", name_of(dtype)));
  }
}

Pair read_pair(const std::filesystem::path& path, const IdxFiles& files, DataSplit split,
               const OpenOptions& options) {
  const auto& images = files.at(split, IdxRole::kImages);
  std::optional<IdxArray> decoded;
  if (!SeekableDataset::opens(images, options.most_decoded)) {
    if (options.in_blocks && split == DataSplit::kTrain) refuse_undivided(path, images);
    decoded = read_idx(images);
  }
  return {images, std::move(decoded), read_idx(files.at(split, IdxRole::kLabels))};
}

std::shared_ptr<const Dataset> make_dataset(Pair pair, std::optional<std::uint32_t> classes,
                                            Task task) {
  if (!pair.images) {
    return std::make_shared<const SeekableDataset>(pair.path, std::move(pair.labels), classes,
                                                   task);
  }
  return idx_dataset(std::move(*pair.images), pair.labels, classes, {}, task);
}

bool has_any(const IdxFiles& files, DataSplit split) {
  return files.has(split, IdxRole::kImages) || files.has(split, IdxRole::kLabels);
}

void check_whole(const std::filesystem::path& folder, const IdxFiles& files, DataSplit split) {
  for (const auto role : {IdxRole::kImages, IdxRole::kLabels}) {
    const auto other = role == IdxRole::kImages ? IdxRole::kLabels : IdxRole::kImages;
    if (!files.has(split, role)) {
      throw DataError(folder, std::nullopt,
                      fmt::format("a {} {} file beside {}", name_of(split), name_of(role),
                                  files.at(split, other).filename().string()),
                      "none");
    }
  }
}

DataFolder open_files(const std::filesystem::path& folder, const IdxFiles& files,
                      const OpenOptions& options) {
  if (!has_any(files, DataSplit::kTrain)) {
    throw DataError(folder, std::nullopt, "training files (train-images-…, train-labels-…)",
                    "test files only");
  }
  // Without test files those of validation stand for them.
  const bool tested = has_any(files, DataSplit::kTest);
  const bool validated = has_any(files, DataSplit::kValidation);
  const auto test_split = tested || !validated ? DataSplit::kTest : DataSplit::kValidation;
  const bool left_out = tested && validated && !options.own_validation;
  for (const auto split : {DataSplit::kTrain, DataSplit::kTest, DataSplit::kValidation}) {
    if (has_any(files, split)) check_whole(folder, files, split);
  }
  const auto read_beside = [&](DataSplit split) {
    return std::async(std::launch::async, [&, split] {
      return has_any(files, split) ? std::optional(read_pair(folder, files, split, options))
                                   : std::nullopt;
    });
  };
  auto test_pair = read_beside(test_split);
  std::future<std::optional<Pair>> own_pair;
  if (tested && validated && !left_out) own_pair = read_beside(DataSplit::kValidation);
  auto train = make_dataset(read_pair(folder, files, DataSplit::kTrain, options), std::nullopt,
                            options.task);
  const auto beside = [&](std::optional<Pair> pair) -> std::shared_ptr<const Dataset> {
    if (!pair) return nullptr;
    const auto path = pair->path;
    auto data = make_dataset(std::move(*pair), train->classes(), options.task);
    if (data->shape() == train->shape() && data->dtype() == train->dtype()) return data;
    const std::uint64_t at = data->dtype() == train->dtype() ? 4 : 2;  // of the sizes, of the type
    throw DataError(path, at,
                    fmt::format("samples of {}, as in {}", describe_samples(*train), train->name()),
                    describe_samples(*data));
  };
  auto test = beside(test_pair.get());
  auto validation = own_pair.valid() ? beside(own_pair.get()) : nullptr;
  auto opened = data_folder(folder, std::move(train), std::move(test), options, "samples",
                            std::move(validation));
  if (left_out) {
    opened.description += left_out_text({&files.at(DataSplit::kValidation, IdxRole::kImages), 1});
  }
  return opened;
}

}  // namespace

std::optional<DataFolder> open_idx_folder(const std::filesystem::path& folder,
                                          const OpenOptions& options) {
  const auto variants = find_idx_files(folder);
  if (variants.empty()) return std::nullopt;
  if (variants.size() == 1) return open_files(folder, variants.begin()->second, options);
  const auto plain = variants.find("");
  if (plain != variants.end()) return open_files(folder, plain->second, options);
  std::vector<std::string> choices;
  choices.reserve(variants.size());
  for (const auto& [variant, files] : variants) choices.push_back((folder / variant).string());
  throw DataError(folder, std::nullopt, "one data set",
                  fmt::format("{}; choose one of {}", choices.size(), fmt::join(choices, ", ")));
}

std::optional<DataFolder> open_idx_variant(const std::filesystem::path& path,
                                           const OpenOptions& options) {
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  std::error_code unreadable;
  if (!std::filesystem::is_directory(folder, unreadable)) return std::nullopt;
  const auto all = find_idx_files(folder);
  const auto variant = path.filename().string();
  auto found = all.find(variant);
  if (found == all.end()) found = all.find(std::string(kEmnistPrefix) + variant);
  if (variant.empty() || found == all.end()) return std::nullopt;
  return open_files(path, found->second, options);
}

std::optional<DataFolder> open_idx_file(const std::filesystem::path& path,
                                        const OpenOptions& options) {
  const auto name = parse_idx_name(path.filename().string());
  if (!name) return std::nullopt;
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  auto all = find_idx_files(folder);
  const auto& siblings = all[name->variant];
  IdxFiles files;
  files.paths[0] = siblings.paths[static_cast<std::size_t>(name->split)];
  files.paths[0][static_cast<std::size_t>(name->role)] = path;
  return open_files(path, files, options);
}

std::set<std::string> idx_folders_below(const std::filesystem::path& folder) {
  std::set<std::string> found;
  std::error_code error;
  using Iterator = std::filesystem::recursive_directory_iterator;
  for (Iterator it(folder, std::filesystem::directory_options::skip_permission_denied, error), end;
       !error && it != end; it.increment(error)) {
    if (it.depth() >= 2) it.disable_recursion_pending();
    std::error_code unreadable;
    if (it->is_directory(unreadable)) continue;
    const auto name = parse_idx_name(it->path().filename().string());
    if (name && name->split == DataSplit::kTrain && name->role == IdxRole::kImages) {
      found.insert(it->path().parent_path().string());
    }
  }
  return found;
}

}  // namespace millrace
