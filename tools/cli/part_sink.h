#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "tools/cli/convert.h"
#include "tools/cli/convert_source.h"

namespace millrace {

/// Takes the samples of one part in order and stores them in some form. Nothing appears under its
/// name before commit(); dropped without it, nothing is left.
class PartSink {
 public:
  PartSink() = default;
  virtual ~PartSink() = default;
  PartSink(const PartSink&) = delete;
  PartSink& operator=(const PartSink&) = delete;

  /// Whole samples as the data set has them, and their labels. Throws DataError for what the form
  /// cannot hold and for what cannot be written.
  virtual void append(std::span<const std::byte> samples, std::span<const std::int32_t> labels) = 0;
  /// After the last append(): the rest is written and durable, so that little is left for commit()
  /// to fail at.
  virtual void finish() = 0;
  /// What appears with commit().
  virtual std::vector<std::filesystem::path> targets() const = 0;
  virtual std::vector<ConvertedFile> commit() = 0;
};

// Each throws DataError where a target is there already and spec.force is not set.

/// x_train.npy and y_train.npy, x_test.npy, …, x_val.npy, …, as NumPy writes them. Labels are uint8
/// or int32 as in IDX, or float32. Keeps shape, type, values and order.
std::unique_ptr<PartSink> make_npy_sink(const ConvertSpec& spec, const ConvertPart& part);

/// train.csv, test.csv and val.csv: a header "label,pixel0,pixel1,…", then a line for each sample.
/// Keeps values and order, not the shape; floating-point numbers come back the same. Where classes
/// have names those are the labels, and numbers where all names are. Throws DataError for values
/// that are not finite, and names that would be read as others (with line breaks, with blanks
/// around them, numbers beside words). Targets stand in front as well, in columns of their own that
/// are called as they were, or "target", of several "target0", "target1", …
std::unique_ptr<PartSink> make_csv_sink(const ConvertSpec& spec, const ConvertPart& part);

/// WebDataset shards train-000000.tar, …, spec.shards of them (1): for each sample NNNNNN.png, or
/// where samples are no images NNNNNN.npy, and NNNNNN.cls. For kTarZst each is inside seekable zstd
/// (.tar.zst), with whole members in each frame. Keeps shape, type, values and order.
std::unique_ptr<PartSink> make_tar_sink(const ConvertSpec& spec, const ConvertPart& part);

/// train/CLASS/NNNNNN.png, test/CLASS/… and val/CLASS/…, with the number of the sample in its part;
/// a class without a name is called by its number. Keeps shape and values, and the order within a
/// class; read again, samples are sorted by class. Throws DataError for samples that are no images
/// ([h, w] or [h, w, 3] uint8) and, in commit(), for a training class without a sample, whose
/// number a folder of images cannot keep.
std::unique_ptr<PartSink> make_images_sink(const ConvertSpec& spec, const ConvertPart& part);

}  // namespace millrace
