#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "formats/idx.h"
#include "formats/image.h"

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

/// The IDX files at `in` (see idx_files_at), or, where it is a folder without any, the training and
/// the test set that open_folder finds there, in the names of MNIST's files. Samples are read by
/// `jobs` threads, 0: one for each core. Throws DataError as these two do. `image` says how images
/// are decoded; IDX files and CIFAR stay as they are.
std::vector<ConvertSource> convert_sources(const std::filesystem::path& in,
                                           const ImageOptions& image, std::uint32_t jobs);

}  // namespace millrace
