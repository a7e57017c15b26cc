#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "formats/folder.h"
#include "formats/idx_salvage.h"

namespace millrace {

struct VerifiedFile {
  std::filesystem::path path;
  std::string form;  ///< "plain", "gzip", "zstd", "seekable zstd"; of a sharded set "manifest"
  std::uint64_t samples = 0;
  std::uint64_t frames = 0;  ///< 0 where it is not seekable
  std::vector<IdxFault> faults;
  std::vector<std::string> notes = {};  ///< what is no fault, but seldom meant
};

struct Verification {
  std::vector<VerifiedFile> files;
  std::uint64_t faults() const noexcept;
};

/// The labels of a file that are no label (negative, or at least `classes`; 0: only what no data
/// set may have), one fault each; none for a file that holds no labels.
std::vector<IdxFault> label_faults(const SalvagedIdx& labels, std::uint32_t classes = 0);

/// All labels of a file that can be read, with their sample's number. Precondition: rank 1, of an
/// integer type.
void each_label(const SalvagedIdx& labels,
                const std::function<void(std::uint64_t sample, std::int64_t label)>& take);

/// Counts the labels of a file that are below kMostIdxClasses, `sizes` growing to the largest. A
/// file that holds no labels adds none.
void count_classes(const SalvagedIdx& labels, std::vector<std::uint64_t>& sizes);

/// One more than the largest label; nullopt for a file that holds no labels, or unsound ones.
std::optional<std::uint32_t> classes_of(const SalvagedIdx& labels);

/// Progress: files, or samples, done, and of how many; false: stop. From any thread, one call at a
/// time.
using FileProgress = std::function<bool(std::size_t done, std::size_t all)>;

/// Reads every IDX file at `path`: every checksum, the counts of headers, frames, images and
/// labels, every label (those of test files also against the classes of the training files). Of a
/// sharded set see verify_shards.h, of all other data verify_samples.h. Notes classes that no
/// training label is of, where all labels can be read. Works on all cores. Where
/// `progress` returns false the rest is left out. `options` are for data that open_folder opens;
/// IDX files and shards have no columns. Throws DataError where nothing is recognised or something
/// cannot be opened.
Verification verify(const std::filesystem::path& path, const FileProgress& progress,
                    const OpenOptions& options = {});

}  // namespace millrace
