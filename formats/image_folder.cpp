#include "formats/image_folder.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "formats/error.h"
#include "formats/idx_pair.h"
#include "formats/image_form.h"
#include "formats/on_all_cores.h"
#include "formats/regular_file.h"
#include "formats/split_names.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

/// Hidden, or a Mac's notes on other files, which have their names.
bool is_hidden(const fs::path& path) {
  const auto name = path.filename().string();
  return name.starts_with('.') || name == "__MACOSX";
}

/// What is in `folder` and not hidden, sorted by name.
std::vector<fs::path> visible_entries(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (!is_hidden(it->path())) found.push_back(it->path());
  }
  if (error) throw io_error(folder, "list", error.value());
  std::ranges::sort(found);
  return found;
}

bool is_folder(const fs::path& path) {
  std::error_code error;  // a link to nothing, or a loop of links: no folder
  return fs::is_directory(path, error);
}

/// A folder itself, however it is named: what tells that a link leads back to it.
struct FolderId {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FolderId&) const = default;
};

FolderId id_of(const struct stat& status) {
  return {.device = status.st_dev, .inode = status.st_ino};
}

FolderId id_of(const fs::path& folder) {
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0) throw io_error(folder, "read", errno);
  return id_of(status);
}

/// Appends the images below `folder`, and all other files to `others`. `around`: the folders that
/// this one is in, and itself.
void find_images(const fs::path& folder, std::vector<FolderId>& around,
                 std::vector<ImageFolder::File>& found, std::vector<fs::path>& others) {
  around.push_back(id_of(folder));
  for (const auto& path : visible_entries(folder)) {
    struct stat status {};
    const bool seen = ::stat(path.c_str(), &status) == 0;
    if (!seen && errno == ELOOP) {
      throw DataError(path, std::nullopt, "a file or folder", "a symbolic link to itself");
    }
    if (seen && S_ISDIR(status.st_mode)) {
      if (std::ranges::find(around, id_of(status)) != around.end()) {
        throw DataError(path, std::nullopt, "a folder of images",
                        "a symbolic link to a folder that it is in");
      }
      find_images(path, around, found,
                  others);  // NOLINT(misc-no-recursion): ends, for none comes twice
    } else if (has_image_name(path.filename().string())) {
      found.push_back({path, seen ? std::optional(stamp_of(status)) : std::nullopt});
    } else {
      others.push_back(path);
    }
  }
  around.pop_back();
}

/// True if an image lies in `folder` itself.
bool holds_image(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code unreadable;
    if (!is_hidden(it->path()) && has_image_name(it->path().filename().string()) &&
        !it->is_directory(unreadable)) {
      return true;
    }
  }
  return false;
}

std::optional<DataSplit> split_of(const fs::path& folder) {
  return split_called(folder.filename().string());
}

bool is_class(const fs::path& path) {
  return !is_hidden(path) && is_folder(path) && holds_image(path);
}

bool has_classes(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (is_class(it->path())) return true;
  }
  return false;
}

/// What the header of an image says, or why it cannot be read.
struct Header {
  ImageInfo info;
  std::exception_ptr error;
};

/// Of all of them, on all cores.
std::vector<Header> read_headers(std::span<const ImageFolder::File> files) {
  constexpr std::size_t kMostRead = std::size_t{64} << 10;  // of larger ones, a few pages
  constexpr std::size_t kWorthThread = 16;                  // fewer are read before one has started
  std::vector<Header> headers(files.size());
  on_all_cores(files.size(), files.size() / kWorthThread, [&] {
    return [&](std::size_t i) {
      const auto& [path, stamp] = files[i];
      try {
        headers[i].info = read_image_info(read_whole(path, stamp, kMostRead).view(), path.string());
      } catch (const DataError&) {
        headers[i].error = std::current_exception();
      }
    };
  });
  return headers;
}

/// The first folder that is called so and has classes.
fs::path first_of(DataSplit split, std::span<const fs::path> folders) {
  const auto found = std::ranges::find_if(folders, [split](const fs::path& folder) {
    return split_of(folder) == split && has_classes(folder);
  });
  return found == folders.end() ? fs::path() : *found;
}

}  // namespace

std::optional<ImageFolders> find_image_folders(const fs::path& folder) {
  auto folders = visible_entries(folder);
  std::erase_if(folders, [](const fs::path& path) { return !is_folder(path); });
  ImageFolders found{.train = first_of(DataSplit::kTrain, folders),
                     .test = first_of(DataSplit::kTest, folders),
                     .validation = first_of(DataSplit::kValidation, folders),
                     .left_out = {}};
  if (!found.train.empty()) {
    if (found.test.empty()) found.test = std::exchange(found.validation, {});
    std::ranges::copy_if(folders, std::back_inserter(found.left_out), [&](const fs::path& path) {
      return path != found.train && path != found.test && path != found.validation;
    });
    return found;
  }
  std::erase_if(folders, [](const fs::path& path) { return !is_class(path); });
  if (folders.empty()) return std::nullopt;
  if (std::ranges::all_of(folders,
                          [](const fs::path& path) { return split_of(path).has_value(); })) {
    throw DataError(folders.back(), std::nullopt, "a sub-folder of images for each class",
                    "images that no folder says the class of");
  }
  return ImageFolders{.train = folder, .test = {}, .validation = {}, .left_out = {}};
}

std::vector<fs::path> images_below(const fs::path& folder) {
  std::vector<FolderId> around;
  std::vector<ImageFolder::File> images;
  std::vector<fs::path> others;
  find_images(folder, around, images, others);
  std::vector<fs::path> paths;
  paths.reserve(images.size());
  for (auto& image : images) paths.push_back(std::move(image.path));
  return paths;
}

ImageFolder::ImageFolder(fs::path folder, const ImageOptions& options, Headers headers,
                         const std::vector<std::string>& classes)
    : folder_(std::move(folder)), asked_(options) {
  find_files(classes.empty() ? nullptr : &classes);
  find_common_form(nullptr, headers);
}

ImageFolder::ImageFolder(fs::path folder, const ImageFolder& train, Headers headers)
    : folder_(std::move(folder)), asked_(train.asked_) {
  find_files(&train.class_names_);
  find_common_form(&train, headers);
}

void ImageFolder::find_common_form(const ImageFolder* train, Headers headers) {
  auto form = train != nullptr ? CommonImageForm(asked_, train->options_) : CommonImageForm(asked_);
  if (form.wants_headers()) {
    bool any = train != nullptr;
    std::exception_ptr unreadable;
    // In rounds, so that an image unlike the others is told before all have been opened.
    constexpr std::size_t kRound = 4096;
    for (auto rest = std::span<const File>(files_); !rest.empty();) {
      const auto round = rest.first(std::min(rest.size(), kRound));
      rest = rest.subspan(round.size());
      const auto found = read_headers(round);
      for (std::size_t i = 0; i < round.size(); ++i) {
        const auto& [info, error] = found[i];
        if (error) {
          if (headers == Headers::kAll) std::rethrow_exception(error);
          if (!unreadable) unreadable = error;
          continue;
        }
        form.add(info, round[i].path.string());
        any = true;
      }
    }
    if (!any) std::rethrow_exception(unreadable);
  }
  options_ = form.options();
  shape_.dims = {options_.resize->height, options_.resize->width};
  if (options_.channels == ImageChannels::kRgb) shape_.dims.push_back(3);
}

void ImageFolder::find_files(const std::vector<std::string>* classes) {
  if (classes != nullptr) class_names_ = *classes;
  std::vector<FolderId> around{id_of(folder_)};
  for (const auto& path : visible_entries(folder_)) {
    if (!is_folder(path)) continue;
    const auto name = path.filename().string();
    auto known = std::ranges::find(class_names_, name);
    if (known == class_names_.end()) {
      if (classes != nullptr) {
        throw DataError(path, std::nullopt,
                        fmt::format("one of the {} classes of the training set", classes->size()),
                        "another class");
      }
      known = class_names_.insert(known, name);
    }
    const auto label = static_cast<std::int32_t>(std::distance(class_names_.begin(), known));
    const auto before = files_.size();
    find_images(path, around, files_, others_);
    if (files_.size() == before) {
      throw DataError(path, std::nullopt, "images of a class (.png, .jpg, .bmp, .gif, .tga, .ppm)",
                      "none");
    }
    labels_.resize(files_.size(), label);
  }
  if (files_.empty()) {
    throw DataError(folder_, std::nullopt, "a sub-folder of images for each class", "none");
  }
}

void ImageFolder::decode(std::uint64_t id, std::span<std::byte> sample) const {
  const auto& [path, stamp] = files_[static_cast<std::size_t>(id)];
  const auto file = read_whole(path, stamp);
  const Image image = decode_image(file.view(), path.string(), options_);
  if (image.pixels.size() != sample.size()) throw std::logic_error("an image of another size");
  std::memcpy(sample.data(), image.pixels.data(), sample.size());
}

std::string ImageFolder::hash() const {
  const std::scoped_lock lock(hash_mutex_);
  if (hash_.empty()) hash_ = hash_by_reading(*this);
  return hash_;
}

void ImageFolder::read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
                       std::span<std::int32_t> labels) const {
  check_read(*this, ids, samples, labels);
  const auto bytes = static_cast<std::size_t>(sample_bytes());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    decode(ids[i], samples.subspan(i * bytes, bytes));
    labels[i] = labels_[static_cast<std::size_t>(ids[i])];
  }
}

}  // namespace millrace
