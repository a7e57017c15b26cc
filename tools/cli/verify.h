#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
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

/// What is known of labels beforehand.
struct LabelKind {
  Task task = Task::kClassification;
  std::uint32_t classes = 0;  ///< that they lie below; 0: not known
  std::uint32_t targets = 0;  ///< of each sample; 0: not known
};

/// What the labels of a file are like.
struct LabelCheck {
  std::vector<IdxFault> faults;      ///< one for each that is no label
  std::vector<std::uint64_t> sizes;  ///< samples of each class, up to the largest label
  std::uint32_t targets = 0;         ///< of each sample; 0 where labels are classes
};

/// Reads all labels that can be read; one is none that is negative, or at least as large as there
/// are classes (where they are not known, as no data set may have). Of targets, where `known` says
/// so, those are none that are not finite, or not as a float32; of Task::kMultilabel those that are
/// neither 0 nor 1. Of a file that holds no labels that is the one fault.
LabelCheck check_labels(const SalvagedIdx& labels, const LabelKind& known = {});

/// What was expected in place of a number that is no label that a sample has or has not, for
/// messages: "0 or 1 as label 1 of sample 7".
std::string no_label_text(std::size_t label, std::uint64_t sample);

/// All labels of a file that can be read, with their sample's number. Precondition: rank 1, of an
/// integer type.
void each_label(const SalvagedIdx& labels,
                const std::function<void(std::uint64_t sample, std::int64_t label)>& take);

/// Progress: files, or samples, done, and of how many; false: stop. From any thread, one call at a
/// time.
using FileProgress = std::function<bool(std::size_t done, std::size_t all)>;

/// Reads every IDX file at `path`: every checksum, the counts of headers, frames, images and
/// labels, every label (those of test files also against the classes of the training files). Of a
/// sharded set see verify_shards.h, of all other data verify_samples.h. Notes classes that no
/// training label is of, where all labels can be read. Works on all cores. Where
/// `progress` returns false the rest is left out. `options` are for data that open_folder opens;
/// IDX files have no columns, and of shards the manifest says what labels are, where it is there.
/// Throws DataError where nothing is recognised or something cannot be opened.
Verification verify(const std::filesystem::path& path, const FileProgress& progress,
                    const OpenOptions& options = {});

}  // namespace millrace
