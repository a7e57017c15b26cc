#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/dataset.h"
#include "formats/image.h"
#include "loader/augment.h"

namespace millrace {

struct BenchSpec {
  std::filesystem::path path;
  ImageOptions image;
  Task task = Task::kClassification;
  std::string label_column;  ///< of CSV; empty: see ReadTableOptions
  AugmentSpec augment;
  std::uint32_t batch = 128;
  std::uint32_t workers = 0;  ///< 0: the cores this process may use
  double seconds = 1.0;       ///< of each measurement, about
  TableOptions table = {};    ///< of CSV
};

/// What a stage brings about alone, with so many threads.
struct BenchRate {
  std::uint32_t workers = 0;
  double samples_per_s = 0.0;
  double bytes_per_s = 0.0;  ///< of files where files are read, else of samples as they are stored
};

struct BenchStage {
  enum class Kind : std::uint8_t {
    kReadUncached,  ///< the files' bytes, from the disk
    kReadCached,    ///< from the page cache
    kOpen,          ///< open_folder(), with all that it decodes
    kGather,        ///< chunks of random samples that are in memory
    kDecode,        ///< chunks of random samples that are decoded for it
    kDecodeBlocks,  ///< frames of seekable zstd, without a chunk made of them
    kAugment,       ///< distortion alone
    kDeliver,       ///< chunks of distorted samples
    kStream         ///< chunks, distorted if asked for, of frames that stay on disk
  };
  Kind kind{};
  std::vector<BenchRate> rates;  ///< with 1 worker, and with all of them where those are more
};

struct BenchResult {
  std::string description;  ///< of the data, one line
  std::uint64_t samples = 0;
  std::uint64_t sample_bytes = 0;
  std::uint64_t file_bytes = 0;
  std::uint32_t workers = 0;
  bool in_memory = false;  ///< training reads no file again
  std::vector<BenchStage> stages;

  const BenchStage* stage(BenchStage::Kind kind) const noexcept;
};

std::string_view name_of(BenchStage::Kind kind) noexcept;

/// Measures how fast the data at `path` is read, opened and delivered in chunks as a training run
/// has it, by the loader itself and by its parts, stage by stage. `progress`: the share that is
/// done and what goes on now. nullopt once `stop` is set. Throws what open_folder and Loader throw.
std::optional<BenchResult> bench(const BenchSpec& spec,
                                 const std::function<void(double, std::string_view)>& progress,
                                 const std::atomic<bool>& stop);

/// One sentence on what bounds the delivery of samples. A pure function of the result.
std::string bench_verdict(const BenchResult& result);

nlohmann::ordered_json bench_json(const BenchResult& result);
/// Lines for people, the verdict at the end.
std::string render_bench(const BenchResult& result);

}  // namespace millrace
