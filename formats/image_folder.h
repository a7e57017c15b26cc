#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "formats/dataset.h"
#include "formats/file_stamp.h"
#include "formats/image.h"
#include "formats/run_blocks.h"

namespace millrace {

/// Where the images of a data set lie: a sub-folder a class,
///
///     photos/{cat,dog}/….jpg      or      photos/{train,test}/{cat,dog}/….jpg
///
/// where "training" may stand for "train", "testing" for "test", and "val", "valid" or "validation"
/// too where there is no test, all of them in any case. What is hidden, and the folder __MACOSX of
/// an archive made on a Mac, is left out.
struct ImageFolders {
  std::filesystem::path train;
  std::filesystem::path test;                   ///< empty: none
  std::filesystem::path validation;             ///< beside test; empty: none
  std::vector<std::filesystem::path> left_out;  ///< other folders beside them
};

/// nullopt if `folder` has no sub-folder with an image in it, by the images' names. Throws
/// DataError where all that have are called train, test and the like: those are no classes.
std::optional<ImageFolders> find_image_folders(const std::filesystem::path& folder);

/// The images in `folder`, however deep, by path; hidden files and folders are left out, and
/// symbolic links are followed. Throws DataError for one that leads back to a folder around it.
std::vector<std::filesystem::path> images_below(const std::filesystem::path& folder);

/// The images in the sub-folders of one folder, a class each: classes sorted by name and the images
/// of a class by path, whatever the file system's order. Images may lie deeper inside a class's
/// folder; hidden files and files that are not named as images (has_image_name) are left out.
/// Symbolic links are followed. The images stay on disk and are decoded by whoever reads them,
/// which throws ChangedFile once one of them is another than it was here.
///
/// A sample is [height, width] uint8 of grey images, [height, width, 3] of RGB.
class ImageFolder final : public DiskDataset {
 public:
  struct File {
    std::filesystem::path path;
    std::optional<FileStamp> stamp;  ///< none: it could not be looked at
  };

  /// With a size to resize to and grey or RGB given, no image is opened here. Without, all headers
  /// are read: the images must then have one size, and they are grey if all of them are, else RGB.
  ///
  /// Throws DataError: a class without an image, a symbolic link that leads back to a folder around
  /// it, images of different sizes (naming two), and what read_image_info throws.
  ///
  /// With Headers::kAnyReadable images whose headers cannot be read are left for read() to refuse;
  /// one at least must be readable. `classes`: those that there may be, by label; empty: those that
  /// are there. Throws DataError for others.
  enum class Headers : std::uint8_t { kAll, kAnyReadable };
  explicit ImageFolder(std::filesystem::path folder, const ImageOptions& options = {},
                       Headers headers = Headers::kAll,
                       const std::vector<std::string>& classes = {});
  /// The test images to `train`, decoded as those are: sub-folders may have the names of its
  /// classes, whose labels they get, and images its size and colour where none was asked for
  /// (CommonImageForm). Throws DataError for others, and as above; with Headers::kAnyReadable all
  /// images may be unreadable.
  ImageFolder(std::filesystem::path folder, const ImageFolder& train,
              Headers headers = Headers::kAll);

  std::uint64_t size() const noexcept override { return files_.size(); }
  const SampleShape& shape() const noexcept override { return shape_; }
  DType dtype() const noexcept override { return DType::kUInt8; }
  std::uint32_t classes() const noexcept override {
    return static_cast<std::uint32_t>(class_names_.size());
  }
  std::string name() const override { return folder_.string(); }
  /// Decodes all images, on all cores.
  std::string hash() const override;
  /// Decodes on the calling thread.
  void read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
            std::span<std::int32_t> labels) const override;

  const std::vector<std::string>& class_names() const noexcept override { return class_names_; }
  std::span<const std::int32_t> labels() const noexcept override { return labels_; }
  bool on_disk() const noexcept override { return true; }
  /// A file that is closed leaves nothing behind, and is read whole when it is opened.
  void expect(std::uint64_t /*first*/, std::uint64_t /*count*/) const noexcept override {}
  void forget(std::uint64_t /*first*/, std::uint64_t /*count*/) const noexcept override {}
  const std::filesystem::path& file(std::uint64_t id) const { return files_.at(id).path; }
  /// What lies beside the images and is not named as one.
  const std::vector<std::filesystem::path>& others() const noexcept { return others_; }
  /// What every image is decoded with: size and channels are given.
  const ImageOptions& options() const noexcept { return options_; }

 private:
  void find_files(const std::vector<std::string>* classes);
  void find_common_form(const ImageFolder* train, Headers headers);
  void decode(std::uint64_t id, std::span<std::byte> sample) const;

  std::filesystem::path folder_;
  ImageOptions asked_;
  ImageOptions options_;
  SampleShape shape_;
  std::vector<std::string> class_names_;
  std::vector<File> files_;
  std::vector<std::filesystem::path> others_;
  std::vector<std::int32_t> labels_;
  mutable std::mutex hash_mutex_;
  mutable std::string hash_;  // empty until somebody asks
};

}  // namespace millrace
