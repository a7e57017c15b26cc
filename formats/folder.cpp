#include "formats/folder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <future>
#include <optional>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "formats/block_dataset.h"
#include "formats/cifar.h"
#include "formats/error.h"
#include "formats/idx_dataset.h"
#include "formats/idx_names.h"
#include "formats/image_folder.h"

namespace millrace {
namespace {

constexpr std::string_view kLookedFor =
    "IDX pairs like train-images-idx3-ubyte and train-labels-idx1-ubyte (also [variant-]train-…, "
    "t10k-…, test-…, .gz, .zst), CIFAR files like data_batch_1.bin or train.bin, or a sub-folder "
    "of "
    "images for each class";
constexpr std::string_view kEmnistPrefix = "emnist-";

struct Pair {
  std::filesystem::path path;      // of the images
  std::optional<IdxArray> images;  // none: left on disk
  IdxArray labels;
};

Pair read_pair(const IdxFiles& files, IdxSplit split, const OpenOptions& options) {
  const auto& images = files.at(split, IdxRole::kImages);
  std::optional<IdxArray> decoded;
  if (!BlockDataset::opens(images, options.most_decoded)) decoded = read_idx(images);
  return {images, std::move(decoded), read_idx(files.at(split, IdxRole::kLabels))};
}

std::shared_ptr<const Dataset> make_dataset(Pair pair, std::optional<std::uint32_t> classes) {
  if (!pair.images) return std::make_shared<const BlockDataset>(pair.path, pair.labels, classes);
  return std::make_shared<const IdxDataset>(std::move(*pair.images), pair.labels, classes);
}

bool has_any(const IdxFiles& files, IdxSplit split) {
  return files.has(split, IdxRole::kImages) || files.has(split, IdxRole::kLabels);
}

void check_whole(const std::filesystem::path& folder, const IdxFiles& files, IdxSplit split) {
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

std::string describe_shape(const Dataset& data) {
  return fmt::format("{} {}", fmt::join(data.shape().dims, "x"), name_of(data.dtype()));
}

DataFolder open_files(const std::filesystem::path& folder, const IdxFiles& files,
                      const OpenOptions& options) {
  if (!has_any(files, IdxSplit::kTrain)) {
    throw DataError(folder, std::nullopt, "training files (train-images-…, train-labels-…)",
                    "test files only");
  }
  check_whole(folder, files, IdxSplit::kTrain);
  const bool tested = has_any(files, IdxSplit::kTest);
  if (tested) check_whole(folder, files, IdxSplit::kTest);

  std::future<Pair> test_pair;
  if (tested) {
    test_pair =
        std::async(std::launch::async, [&] { return read_pair(files, IdxSplit::kTest, options); });
  }
  auto train = make_dataset(read_pair(files, IdxSplit::kTrain, options), std::nullopt);
  DataFolder opened{.train = train, .test = nullptr, .description = {}};
  std::string counts = fmt::format("{} training", train->size());
  if (tested) {
    auto test = make_dataset(test_pair.get(), train->classes());
    if (test->shape() != train->shape() || test->dtype() != train->dtype()) {
      const std::uint64_t at =
          test->dtype() == train->dtype() ? 4 : 2;  // of the sizes, of the type
      throw DataError(files.at(IdxSplit::kTest, IdxRole::kImages), at,
                      fmt::format("samples of {}, as in {}", describe_shape(*train), train->name()),
                      describe_shape(*test));
    }
    counts += fmt::format(" and {} test", test->size());
    opened.test = std::move(test);
  }
  opened.description = fmt::format("{}: {} samples, {}, {} classes", folder.string(), counts,
                                   describe_shape(*train), train->classes());
  return opened;
}

DataFolder open_images(const std::filesystem::path& folder, const ImageFolders& parts,
                       const OpenOptions& options) {
  auto train = std::make_shared<const ImageFolder>(parts.train, options.image);
  DataFolder opened{.train = train, .test = nullptr, .description = {}};
  std::string counts = fmt::format("{} training", train->size());
  if (!parts.test.empty()) {
    auto test =
        std::make_shared<const ImageFolder>(parts.test, train->options(), train->class_names());
    counts += fmt::format(" and {} test", test->size());
    opened.test = std::move(test);
  }
  opened.description = fmt::format("{}: {} images, {}, {} classes", folder.string(), counts,
                                   describe_shape(*train), train->classes());
  return opened;
}

DataFolder open_cifar(const std::filesystem::path& folder, const CifarFiles& files) {
  auto train = std::make_shared<const CifarDataset>(files.kind, files.train);
  DataFolder opened{.train = train, .test = nullptr, .description = {}};
  std::string counts = fmt::format("{} training", train->size());
  if (!files.test.empty()) {
    opened.test = std::make_shared<const CifarDataset>(files.kind, files.test);
    counts += fmt::format(" and {} test", opened.test->size());
  }
  opened.description = fmt::format("{}: {} samples, {}, {} classes", folder.string(), counts,
                                   describe_shape(*train), train->classes());
  return opened;
}

/// Sub-folders, down to two levels, that open_folder could open: for the message that nothing is in
/// this one.
std::set<std::string> folders_below(const std::filesystem::path& folder) {
  std::set<std::string> found;
  std::error_code error;
  using Iterator = std::filesystem::recursive_directory_iterator;
  for (Iterator it(folder, std::filesystem::directory_options::skip_permission_denied, error), end;
       !error && it != end; it.increment(error)) {
    if (it.depth() >= 2) it.disable_recursion_pending();
    std::error_code unreadable;
    if (it->is_directory(unreadable)) continue;
    const auto name = parse_idx_name(it->path().filename().string());
    if (name && name->split == IdxSplit::kTrain && name->role == IdxRole::kImages) {
      found.insert(it->path().parent_path().string());
    }
  }
  return found;
}

[[noreturn]] void fail_unrecognised(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    names.push_back(it->path().filename().string());
  }
  std::ranges::sort(names);
  const auto below = folders_below(folder);
  if (!below.empty()) {
    throw DataError(folder, std::nullopt, kLookedFor,
                    fmt::format("none here, but some in {}", fmt::join(below, " and ")));
  }
  constexpr std::size_t kShown = 5;
  if (names.empty()) throw DataError(folder, std::nullopt, kLookedFor, "an empty folder");
  const auto shown = std::min(names.size(), kShown);
  throw DataError(
      folder, std::nullopt, kLookedFor,
      fmt::format("{}{}", fmt::join(names.begin(), names.begin() + shown, ", "),
                  names.size() > shown ? fmt::format(" and {} more", names.size() - shown) : ""));
}

/// data/emnist/letters where data/emnist has emnist-letters-train-images-…; nullopt if it is no
/// such path.
std::optional<DataFolder> open_variant(const std::filesystem::path& path,
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

DataFolder open_file(const std::filesystem::path& path, const OpenOptions& options) {
  const auto name = parse_idx_name(path.filename().string());
  if (!name) {
    throw DataError(path, std::nullopt,
                    "a folder, or an IDX file named like train-images-idx3-ubyte",
                    "a file of another name");
  }
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  auto all = find_idx_files(folder);
  const auto& siblings = all[name->variant];
  IdxFiles files;
  files.paths[0] = siblings.paths[static_cast<std::size_t>(name->split)];
  files.paths[0][static_cast<std::size_t>(name->role)] = path;
  return open_files(path, files, options);
}

}  // namespace

DataFolder open_folder(const std::filesystem::path& given, const OpenOptions& options) {
  const auto path = given.has_filename() ? given : given.parent_path();  // data/emnist/letters/
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    if (auto opened = open_variant(path, options)) return std::move(*opened);
    if (error && error != std::errc::no_such_file_or_directory) {
      throw io_error(path, "open the data folder", error.value());
    }
    throw io_error(path, "open the data folder", ENOENT);
  }
  if (!std::filesystem::is_directory(status)) return open_file(path, options);
  const auto variants = find_idx_files(path);
  if (variants.empty()) {
    if (const auto files = find_cifar_files(path)) return open_cifar(path, *files);
    if (const auto images = find_image_folders(path)) return open_images(path, *images, options);
    fail_unrecognised(path);
  }
  if (variants.size() == 1) return open_files(path, variants.begin()->second, options);
  const auto plain = variants.find("");
  if (plain != variants.end()) return open_files(path, plain->second, options);
  std::vector<std::string> choices;
  choices.reserve(variants.size());
  for (const auto& [variant, files] : variants) choices.push_back((path / variant).string());
  throw DataError(path, std::nullopt, "one data set",
                  fmt::format("{}; choose one of {}", choices.size(), fmt::join(choices, ", ")));
}

}  // namespace millrace
