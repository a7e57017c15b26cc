#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "formats/dataset.h"
#include "formats/image.h"
#include "formats/table.h"

namespace millrace {

/// The data sets of one folder. Shapes and types of all are the same, and test and validation
/// labels lie in the classes of the training set, or are as many targets.
struct DataFolder {
  std::shared_ptr<const Dataset> train;
  std::shared_ptr<const Dataset> test;  ///< null if the folder has no test files
  std::string description;  ///< one line: "data/mnist: 60000 training and 10000 test samples, 28x28
                            ///< uint8, 10 classes"; of targets "…, 1 target"
  std::shared_ptr<const Dataset> validation = {};  ///< see OpenOptions::own_validation
  /// Of CSV files, for a person: categories that were not in the training file, or in the table
  /// that a model was trained on. Empty where there are none; `description` has it, too.
  std::string unknown = {};
  /// Which columns could be asked for: none; those of labels, beside images; or any of a table.
  enum class Columns : std::uint8_t { kNone, kLabels, kAll };
  Columns columns = Columns::kNone;
};

/// What is known of data beforehand, as of those that a model is for.
struct KnownData {
  /// Of CSV files: those they must have, in any order; without names, where their labels are.
  std::optional<KnownColumns> columns = {};
  /// Of CSV files whose labels are names, and of folders of images: by label. Others are an error.
  std::vector<std::string> class_names = {};
  /// The samples of CSV files are float32 even if all are whole numbers from 0 to 255.
  bool as_float = false;
  /// Of samples that are images: size or channels, where none are asked for (OpenOptions::image).
  ImageOptions image = {};
  /// Of images: flat samples of as many values are such ones.
  std::optional<SampleShape> shape = {};
};

/// What to read CSV files by for that: their columns and the type of their samples.
ReadTableOptions read_table_options(const KnownData& known);

struct OpenOptions {
  /// Size and channels of the samples, where they are images: decoded to them, or made as they are
  /// read (ResizedDataset); the samples of CSV files and arrays may be made images first. Asked of
  /// other samples it is an error.
  ImageOptions image = {};
  /// What labels are. Targets may be in arrays, in CSV files and in IDX files and shards of them;
  /// asked of other data they are an error.
  Task task = Task::kClassification;
  /// Of CSV files, by its name or its number from 1, several of targets; see ReadTableOptions.
  /// Asked of other data it is an error.
  std::string label_column = {};
  KnownData known = {};
  /// The images of a seekable zstd file, or of a sharded set, with more bytes than this stay on
  /// disk and are decoded when they are asked for (BlockDataset), and so do WebDataset shards in
  /// seekable zstd; everything else is decoded at once, by all cores.
  std::uint64_t most_decoded = std::uint64_t{1} << 30;
  /// Validation samples that lie beside test samples are opened as a set of their own. Else they
  /// are left out, which the description says; where there are no test samples they stand for
  /// those.
  bool own_validation = false;
  /// Data sets open as a BlockDataset, to be streamed: read piece by piece, in little memory
  /// whatever their size (what most_decoded says does not matter then). The training set must be
  /// one that can; of the test set what cannot is decoded whole.
  bool in_blocks = false;
  /// A set opens although some of its samples cannot be read, where reading the others is possible:
  /// images whose headers are broken, frames of a seekable file (whatever most_decoded says).
  bool tolerant = false;
  /// Of CSV files: how their lines become samples. Asked of other data it is an error.
  TableOptions table = {};
};

/// Opens a folder by looking at it: pairs of IDX files, images and labels, in the naming of MNIST,
/// Fashion-MNIST, KMNIST and EMNIST, plain, .gz or .zst; of several forms of one file the plain one
/// is taken. Training and test files are decoded at the same time.
///
/// Where a folder holds nothing else, but one folder down to two levels below it has such files,
/// that one is opened: torchvision keeps them in MNIST/raw. So is the one folder right below it
/// that has Parquet files.
///
/// A folder with several EMNIST variants is opened as folder/variant: data/emnist/letters (where
/// MNIST's own files lie in it too, the folder alone means those). `path` may also be one images or
/// labels file; then the pair it belongs to is the training set and there is no test set.
///
/// Or a sharded set: a folder with a manifest.json of shards (shard_manifest.h), or that file.
/// Where it is, IDX files beside it are not looked at.
///
/// Or the binary files of CIFAR-10 or CIFAR-100 (cifar.h).
///
/// Or arrays in .npy files named like x_train.npy and y_train.npy, or in one .npz or .safetensors
/// file, or one for each split (array_names.h says which names mean what). `path` may also be one
/// .npz or .safetensors file, or a .npy file, which then is the training set with its partner.
///
/// Or CSV files, one to train on and perhaps one to test with (csv.h), Parquet files of a table
/// (parquet.h) or of images (ParquetImages), or WebDataset shards in tar files (webdataset.h):
/// their names have "train", "test" or "val" in them (split_names.h), or nothing of the kind, which
/// means training. `path` may also be one such file.
///
/// Or a folder of images, one sub-folder a class (ImageFolders and ImageFolder in image_folder.h),
/// as options.image says.
///
/// Throws DataError: nothing there, nothing recognised (naming what was looked for), half a pair,
/// several variants (naming them), training and test sets that do not go together, training data
/// that have to be decoded whole where blocks were asked for, and all that
/// read_idx, idx_dataset, open_sharded, CifarDataset, read_npy, ArrayDataset, read_csv, WebDataset,
/// ImageFolder and ResizedDataset throw.
DataFolder open_folder(const std::filesystem::path& path, const OpenOptions& options = {});

/// By the ending of its name, a file that open_folder opens as a data set of its own: .npy, .npz,
/// .safetensors, .csv, .parquet or .tar, also with .gz or .zst behind it.
bool is_named_as_data(const std::filesystem::path& path);

}  // namespace millrace
