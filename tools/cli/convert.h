#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "formats/dataset.h"
#include "formats/image.h"

namespace millrace {

/// The forms that convert() writes: IDX files, and what part_sink.h says.
enum class StoredAs : std::uint8_t {
  kPlain,     ///< "idx"
  kGzip,      ///< "gz"
  kSeekable,  ///< "zst": seekable zstd
  kNpy,       ///< "npy"
  kCsv,       ///< "csv"
  kTar,       ///< "tar": WebDataset
  kTarZst,    ///< "tar.zst"
  kImages,    ///< "images": a folder of PNG files for each class
};
inline constexpr std::array kAllForms{StoredAs::kPlain,  StoredAs::kGzip,  StoredAs::kSeekable,
                                      StoredAs::kNpy,    StoredAs::kCsv,   StoredAs::kTar,
                                      StoredAs::kTarZst, StoredAs::kImages};

/// "idx", "gz", "zst"; the same with a dot is what it adds to an IDX file's name (nothing for
/// kPlain).
std::string_view name_of(StoredAs stored) noexcept;

/// Shares of the samples that become training and test samples.
struct SplitShares {
  double train = 0.0;
  double test = 0.0;
};

struct ConvertSpec {
  std::filesystem::path in;   ///< a folder of IDX files in any form, one such file, or what
                              ///< else open_folder opens
  std::filesystem::path out;  ///< a folder, made where it is missing
  ImageOptions image = {};    ///< size and channels, where they are images
  Task task = Task::kClassification;
  std::string label_column = {};  ///< of CSV; empty: see ReadTableOptions
  StoredAs to = StoredAs::kSeekable;
  std::optional<int> level = {};  ///< of the compression: zstd 1 to 22 [3], gzip 1 to 12 [6]
  std::uint32_t jobs =
      0;  ///< threads that decode samples and compress zstd; 0: the cores this process may use
  std::uint32_t shards = 0;  ///< of each split, for kSeekable and tar; 0: one file, no manifest
  std::optional<SplitShares> split = {};  ///< of a data set without test samples (split_randomly)
  std::uint64_t seed = 0;                 ///< of `split`
  bool force = false;                     ///< replace files that are there
  /// Is told in a line what was opened and what is left out of it, but for IDX files that stay as
  /// they are: all of those are written.
  std::function<void(const std::string&)> opened = {};
  /// Of files in `out` that an interrupted conversion left, sorted: replaced without `force`, too.
  std::vector<std::string> interrupted = {};
  TableOptions table = {};  ///< of CSV
};

struct ConvertedFile {
  std::filesystem::path from;
  std::filesystem::path to;
  std::uint64_t stored_before = 0;  ///< bytes of the file `from`; 0: it is no single file
  std::uint64_t content = 0;        ///< bytes of the IDX file
  std::uint64_t stored = 0;         ///< bytes of the file `to`
  std::uint64_t frames = 0;         ///< 0 where it is not seekable
  bool kept = false;                ///< a shard that an interrupted conversion had written
};

/// Writes the IDX files of `spec.in`, training and test, of all variants, in another form of IDX,
/// under their own names; what they hold stays the same byte for byte. They appear together when
/// all are written. Any other data set becomes IDX files in the names of MNIST's:
/// train-images-idx4-ubyte for RGB images; so does one that is split. With `shards` see
/// convert_to_shards, for the other forms convert_to_files.
///
/// `progress` is told bytes of content done so far and in all, by the calling thread; where it
/// returns false nothing is written and the result is empty. Throws DataError: no data set, a
/// broken file, a file that is there and not to be replaced, one in `spec.out` of another form that
/// the new one would stand beside, or what cannot be written; std::invalid_argument for a level
/// that the compression lacks, and for targets in a form that holds classes alone (tar, images).
std::vector<ConvertedFile> convert(
    const ConvertSpec& spec,
    const std::function<bool(std::uint64_t done, std::uint64_t all)>& progress);

}  // namespace millrace
