#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/folder.h"

// The kinds of data sets that open_folder tells apart, each of which looks for its own files. Users
// want folder.h. All throw DataError where files are theirs and broken.

namespace millrace {

/// Where blocks are asked for of training data that are to be decoded whole, for the reason `found`
/// ("a gzip file"): throws the DataError that says so and what can be done. `path` is what is
/// opened.
[[noreturn]] void refuse_whole(const std::filesystem::path& path, const std::string& file,
                               std::string_view found);
/// That a file is compressed in one piece, for refuse_whole: "a gzip file"; nullopt for any other.
std::optional<std::string> compressed_whole(const std::filesystem::path& file);

/// Where targets are asked for of data that cannot have them, `found` ("a folder of images"):
/// throws the DataError that says so and what can.
void refuse_targets(const std::filesystem::path& path, const OpenOptions& options,
                    std::string_view found);

/// Size and channels of images: as asked for (OpenOptions::image), else as known
/// (KnownData::image).
ImageOptions image_form(const OpenOptions& options);

/// What was opened at `path`, in blocks if options say so (in_blocks), its images as options.image
/// asks for (ResizedDataset), made of flat samples of an ArrayDataset where it says so, and else as
/// they are known; `test` and `validation` may be null. `counted`: "samples" or "images". Throws
/// DataError if there are no such samples, if the test samples have another shape or type or other
/// targets, and what ResizedDataset throws.
DataFolder data_folder(const std::filesystem::path& path, std::shared_ptr<const Dataset> train,
                       std::shared_ptr<const Dataset> test, const OpenOptions& options,
                       std::string_view counted = "samples",
                       std::shared_ptr<const Dataset> validation = nullptr);

/// "; left out: data/val", for a description, of what a data set's folder or file holds besides
/// that could be samples; of many the first and how many there are. Empty where there is nothing.
std::string left_out_text(std::span<const std::filesystem::path> names);

/// The files of one pair, or of the one variant, in a folder. nullopt: none here. Throws DataError
/// as well for several variants, naming them.
std::optional<DataFolder> open_idx_folder(const std::filesystem::path& folder,
                                          const OpenOptions& options);
/// data/emnist/letters where data/emnist has emnist-letters-train-images-…; nullopt if `path` is no
/// such path.
std::optional<DataFolder> open_idx_variant(const std::filesystem::path& path,
                                           const OpenOptions& options);
/// The pair that a file belongs to; nullopt if it has another name.
std::optional<DataFolder> open_idx_file(const std::filesystem::path& path,
                                        const OpenOptions& options);
/// Sub-folders, down to two levels, that open_idx_folder could open.
std::set<std::string> idx_folders_below(const std::filesystem::path& folder);

/// A sharded set, by its manifest: a folder that has one, or the manifest itself.
std::optional<DataFolder> open_sharded_folder(const std::filesystem::path& path,
                                              const OpenOptions& options);
/// Throws DataError where shards lie in the folder. Their manifest is written last: where it is not
/// there, a conversion did not end, or it was lost.
void refuse_lone_shards(const std::filesystem::path& folder);

std::optional<DataFolder> open_cifar_folder(const std::filesystem::path& folder,
                                            const OpenOptions& options);

std::optional<DataFolder> open_image_folder(const std::filesystem::path& folder,
                                            const OpenOptions& options);

/// .npy files named like x_train.npy and y_train.npy; or one .npz or .safetensors file with arrays
/// of such names (array_names.h), or one for each split. nullopt: none here.
std::optional<DataFolder> open_array_folder(const std::filesystem::path& folder,
                                            const OpenOptions& options);
/// Such an .npz or .safetensors file, or the pair that a .npy file belongs to; nullopt if it has
/// another ending.
std::optional<DataFolder> open_array_file(const std::filesystem::path& path,
                                          const OpenOptions& options);

/// One CSV file to train on and perhaps one to test with, by their names (split_files); a test file
/// that lacks the training file's column of labels is left out, and the description says so.
std::optional<DataFolder> open_csv_folder(const std::filesystem::path& folder,
                                          const OpenOptions& options);
/// Such a file; nullopt if it has another ending.
std::optional<DataFolder> open_csv_file(const std::filesystem::path& path,
                                        const OpenOptions& options);

/// Parquet files to train on, and perhaps some to test and to validate with, by their names
/// (split_files): of images where image_leaf() finds some, else of a table (parquet.h).
std::optional<DataFolder> open_parquet_folder(const std::filesystem::path& folder,
                                              const OpenOptions& options);
/// Sub-folders with Parquet files, sorted.
std::vector<std::filesystem::path> parquet_folders_below(const std::filesystem::path& folder);
/// Such a file; nullopt if it has another ending.
std::optional<DataFolder> open_parquet_file(const std::filesystem::path& path,
                                            const OpenOptions& options);

/// WebDataset shards: those to train on and those to test with by their names (split_files).
std::optional<DataFolder> open_tar_folder(const std::filesystem::path& folder,
                                          const OpenOptions& options);
/// One shard; nullopt if the file has another ending.
std::optional<DataFolder> open_tar_file(const std::filesystem::path& path,
                                        const OpenOptions& options);

}  // namespace millrace
