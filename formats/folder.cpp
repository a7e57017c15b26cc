#include "formats/folder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "formats/error.h"
#include "formats/folder_kinds.h"
#include "formats/foreign_names.h"
#include "formats/shard_manifest.h"
#include "formats/split_names.h"

namespace millrace {
namespace {

constexpr std::string_view kLookedFor =
    "IDX files like train-images-idx3-ubyte, arrays like x_train.npy or in one .npz or "
    ".safetensors file, train.csv, train.parquet, CIFAR's data_batch_1.bin or train.bin, tar "
    "shards like "
    "train-000000.tar, or a sub-folder of images for each class";

constexpr std::array<std::string_view, 6> kFileEndings{".npy", ".npz",     ".safetensors",
                                                       ".csv", ".parquet", ".tar"};

std::vector<std::string> sorted_names(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    names.push_back(it->path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

/// The first of some names in `folder` that says what is not read.
std::optional<std::string> foreign_among(const std::filesystem::path& folder,
                                         const std::vector<std::string>& names) {
  for (const auto& name : names) {
    if (const auto text = foreign_text(name)) {
      return fmt::format("{} ({})", (folder / name).string(), *text);
    }
  }
  return std::nullopt;
}

[[noreturn]] void fail_unrecognised(const std::filesystem::path& folder) {
  auto names = sorted_names(folder);
  auto foreign = foreign_among({}, names);
  // Images of a kind that is not read, or folders one level deeper than they ought to be.
  for (auto& name : names) {
    const auto inside = sorted_names(folder / name);
    if (inside.empty()) continue;
    if (!foreign) foreign = foreign_among(name, inside);
    name += fmt::format("/ with {}", inside.back());
    break;
  }
  const auto below = idx_folders_below(folder);
  if (!below.empty()) {
    throw DataError(folder, std::nullopt, kLookedFor,
                    fmt::format("none here, but some in {}", fmt::join(below, " and ")));
  }
  if (foreign) throw DataError(folder, std::nullopt, kLookedFor, *foreign);
  constexpr std::size_t kShown = 5;
  if (names.empty()) throw DataError(folder, std::nullopt, kLookedFor, "an empty folder");
  const auto shown = std::min(names.size(), kShown);
  throw DataError(
      folder, std::nullopt, kLookedFor,
      fmt::format("{}{}", fmt::join(names.begin(), names.begin() + shown, ", "),
                  names.size() > shown ? fmt::format(" and {} more", names.size() - shown) : ""));
}

DataFolder open_file(const std::filesystem::path& path, const OpenOptions& options) {
  if (path.filename() == kManifestName) return *open_sharded_folder(path, options);
  if (auto opened = open_idx_file(path, options)) return std::move(*opened);
  if (auto opened = open_array_file(path, options)) return std::move(*opened);
  if (auto opened = open_csv_file(path, options)) return std::move(*opened);
  if (auto opened = open_parquet_file(path, options)) return std::move(*opened);
  if (auto opened = open_tar_file(path, options)) return std::move(*opened);
  throw DataError(path, std::nullopt,
                  "a folder, an IDX file named like train-images-idx3-ubyte, or an .npy, .npz, "
                  ".safetensors, .csv, .parquet or .tar file",
                  foreign_text(path.string()).value_or("a file of another name"));
}

/// Columns that nobody looked at.
void refuse_column(const DataFolder& opened, const OpenOptions& options) {
  using Columns = DataFolder::Columns;
  const bool table = options.table != TableOptions{};
  if (options.label_column.empty() && !table) return;
  // Beside images there may be columns that are left out, and none that becomes values.
  const bool values = !options.table.one_hot.empty() || options.table.fill_missing;
  if (opened.columns == Columns::kAll || (opened.columns == Columns::kLabels && !values)) return;
  throw DataError(
      opened.train->name(), std::nullopt,
      table ? "a table, whose columns are asked for (--one-hot, --drop-columns, --missing)"
            : "a table, whose column of labels is asked for (--label-column)",
      opened.columns == Columns::kLabels ? "images" : "data of another form");
}

DataFolder open_any(const std::filesystem::path& path, const OpenOptions& options) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    if (auto opened = open_idx_variant(path, options)) return std::move(*opened);
    if (error && error != std::errc::no_such_file_or_directory) {
      throw io_error(path, "open the data folder", error.value());
    }
    throw io_error(path, "open the data folder", ENOENT);
  }
  if (!std::filesystem::is_directory(status)) return open_file(path, options);
  if (std::filesystem::exists(path / kConversionName, error)) {
    throw DataError(path / kConversionName,
                    "a conversion was interrupted before all of its files were here; the same "
                    "'tools convert' again writes them");
  }
  if (auto opened = open_sharded_folder(path, options)) return std::move(*opened);
  if (auto opened = open_idx_folder(path, options)) return std::move(*opened);
  refuse_lone_shards(path);
  if (auto opened = open_cifar_folder(path, options)) return std::move(*opened);
  if (auto opened = open_array_folder(path, options)) return std::move(*opened);
  if (auto opened = open_csv_folder(path, options)) return std::move(*opened);
  if (auto opened = open_parquet_folder(path, options)) return std::move(*opened);
  if (auto opened = open_tar_folder(path, options)) return std::move(*opened);
  if (auto opened = open_image_folder(path, options)) return std::move(*opened);
  // As torchvision lays them out: data/MNIST/raw.
  if (const auto below = idx_folders_below(path); below.size() == 1) {
    if (auto opened = open_idx_folder(*below.begin(), options)) return std::move(*opened);
  }
  // As they lie in repositories of data sets: data/train-00000-of-00001.parquet.
  if (const auto below = parquet_folders_below(path); below.size() == 1) {
    if (auto opened = open_parquet_folder(below.front(), options)) return std::move(*opened);
  }
  fail_unrecognised(path);
}

}  // namespace

bool is_named_as_data(const std::filesystem::path& path) {
  const auto name = plain_file_name(path);
  return std::ranges::any_of(kFileEndings,
                             [&](std::string_view ending) { return name.ends_with(ending); });
}

DataFolder open_folder(const std::filesystem::path& given, const OpenOptions& wanted) {
  OpenOptions options = wanted;
  if (options.tolerant || options.in_blocks) options.most_decoded = 0;
  const auto path = given.has_filename() ? given : given.parent_path();  // data/emnist/letters/
  auto opened = open_any(path, options);
  refuse_column(opened, options);
  return opened;
}

}  // namespace millrace
