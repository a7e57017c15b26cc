#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "formats/dataset.h"
#include "formats/image.h"
#include "formats/split_names.h"
#include "loader/augment.h"
#include "tools/image/grid.h"

namespace millrace {

struct PreviewSpec {
  std::filesystem::path data;  ///< whatever open_folder() opens
  ImageOptions images;
  Task task = Task::kClassification;
  std::string label_column;  ///< of CSV; empty: see ReadTableOptions
  DataSplit split = DataSplit::kTrain;
  std::uint64_t count = 64;  ///< samples, at most
  bool shuffle = false;      ///< drawn at random, else the first ones
  std::uint64_t seed = 0;    ///< of that draw and of the augmentation
  std::string only;          ///< samples of this class, by number or name; empty: of all
  AugmentSpec augment;       ///< where enabled, distorted copies stand after each sample
  std::uint32_t copies = 7;  ///< of them
  TableOptions table = {};   ///< of CSV
};

struct PreviewSample {
  std::uint64_t number = 0;  ///< in its set
  std::int32_t label = 0;
  std::vector<float> targets = {};  ///< in place of a label, where there are some
  std::string name;                 ///< of its class: a name, else the label; or the first targets
  std::string reason;               ///< why it cannot be read; empty: it can
};

struct Preview {
  std::string data;  ///< name of the set
  std::vector<PreviewSample> samples;
  /// A picture a sample, or 1 + copies of them; black where it cannot be read.
  std::vector<Captioned> pictures;
  std::string note;  ///< what pictures do not show as it is; may be empty
};

/// Copies are those of epochs 0, 1, … of a trainer run with this seed and augmentation. Throws
/// DataError as open_folder does, where there is no such split, no such class, no sample of it, a
/// class of targets, or samples that are no pictures; std::invalid_argument as Augmenter does.
Preview preview(const PreviewSpec& spec);

}  // namespace millrace
