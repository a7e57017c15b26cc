#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/dataset.h"
#include "formats/idx.h"
#include "formats/split_names.h"
#include "tools/cli/convert.h"

namespace millrace {

/// Takes the next bytes of an IDX file's elements, in host byte order; false: enough, stop.
using PieceSink = std::function<bool(std::span<const std::byte>)>;

/// One IDX file to write, and where its content comes from.
struct ConvertSource {
  std::filesystem::path from;       ///< an IDX file, or what a data set calls itself
  std::string name;                 ///< of the IDX file, without .gz or .zst
  std::uint64_t stored_before = 0;  ///< bytes of the file `from`; 0 where it is no single file
  IdxHeader header;
  /// Gives all elements to the sink, some MB at a time; false if the sink stopped it. To be called
  /// once, and the sources in their order: labels are learnt with their images. Throws what
  /// read_idx and Dataset::read throw.
  std::function<bool(const PieceSink&)> read;
};

/// What MNIST's files call a split: "train", "t10k", and so "val".
std::string_view idx_word(DataSplit split) noexcept;

/// Of an IDX file of labels: [samples], of classes uint8 where so many fit, else int32; or, where
/// there are `targets` of a sample, float32, and of several [samples, targets].
IdxHeader idx_labels_header(std::uint64_t samples, std::uint32_t classes, std::uint32_t targets);

/// In the naming of MNIST's files; `role`: "images", "labels".
std::string idx_file_name(DataSplit split, std::string_view role, const IdxHeader& header);

/// The samples of one split that are to be converted, and what becomes of them as IDX.
struct ConvertPart {
  DataSplit split = DataSplit::kTrain;
  std::shared_ptr<const Dataset> data;
  std::vector<std::string> class_names = {};  ///< empty: they have none

  IdxHeader images_header() const;
  /// Of `samples` of them.
  IdxHeader labels_header(std::uint64_t samples) const {
    return idx_labels_header(samples, data->classes(), data->targets());
  }
  /// [count, Dataset::label_words()], as elements of that header's type in host byte order.
  std::vector<std::byte> encode_labels(std::span<const std::int32_t> labels) const;
  std::string file_name(std::string_view role, const IdxHeader& header) const;
};

/// The training samples at spec.in and, where there are some, those of test and of validation, as
/// open_folder finds them and spec.image and spec.split make them. Throws DataError as open_folder
/// does, for a split of a data set that has test samples already, and for what IDX cannot hold;
/// std::invalid_argument for more shards than a part has samples.
std::vector<ConvertPart> convert_parts(const ConvertSpec& spec);

/// The IDX files at spec.in (see idx_files_at), or, where it is a folder without any, is to be
/// split or has images to be resized, its parts in the names of MNIST's files. Samples are read by
/// spec.jobs threads. Throws DataError as these do.
std::vector<ConvertSource> convert_sources(const ConvertSpec& spec);

}  // namespace millrace
