#include "tools/cli/synth.h"

#include <oneapi/tbb/info.h>
#include <oneapi/tbb/parallel_pipeline.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "formats/error.h"
#include "formats/idx.h"
#include "formats/idx_names.h"
#include "formats/synthetic_digits.h"
#include "tools/console/made_folder.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kBlock = 256;  // images drawn at once by one thread: 200 KB
// Where test images start, behind all training images, on a run of the ten labels.
constexpr std::uint64_t kFirstTest = std::uint64_t{10} << 59U;

struct Block {
  std::vector<std::uint8_t> pixels;
  std::vector<std::uint8_t> labels;
};

/// One pair of files that is not there yet.
class Pair {
 public:
  Pair(const fs::path& folder, const std::string& split, std::uint32_t count)
      : count_(count),
        images_path_(folder / (split + "-images-idx3-ubyte")),
        labels_path_(folder / (split + "-labels-idx1-ubyte")),
        images_(images_path_,
                {DType::kUInt8, {count, SyntheticDigits::kSide, SyntheticDigits::kSide}}),
        labels_(labels_path_, {DType::kUInt8, {count}}) {}

  std::uint32_t count() const { return count_; }
  void append(const Block& block) {
    images_.append(std::as_bytes(std::span(block.pixels)));
    labels_.append(std::as_bytes(std::span(block.labels)));
  }
  void commit(std::vector<fs::path>& written) {
    images_.commit();
    labels_.commit();
    written.insert(written.end(), {images_path_, labels_path_});
  }

 private:
  std::uint32_t count_;
  fs::path images_path_;
  fs::path labels_path_;
  IdxWriter images_;
  IdxWriter labels_;
};

Block draw(const SyntheticDigits& digits, std::uint64_t first, std::uint32_t count) {
  Block block;
  block.pixels.resize(std::size_t{count} * SyntheticDigits::kPixels);
  block.labels.resize(count);
  const std::span<std::uint8_t> pixels(block.pixels);
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto image = pixels.subspan(i * SyntheticDigits::kPixels, SyntheticDigits::kPixels);
    block.labels[i] = static_cast<std::uint8_t>(digits.draw(first + i, image));
  }
  return block;
}

// False if `progress` said to stop.
bool fill(Pair& pair, const SyntheticDigits& digits, std::uint64_t first, std::size_t tokens,
          std::uint64_t done_before, const std::function<bool(std::uint64_t)>& progress) {
  using BlockPtr = std::shared_ptr<Block>;
  std::uint32_t next = 0;
  std::uint64_t done = done_before;
  bool stopped = false;
  const auto take = [&](tbb::flow_control& control) -> std::uint32_t {
    if (next >= pair.count() || stopped) {
      control.stop();
      return 0;
    }
    return std::exchange(next, next + std::min(kBlock, pair.count() - next));
  };
  const auto make = [&](std::uint32_t begin) {
    return std::make_shared<Block>(
        draw(digits, first + begin, std::min(kBlock, pair.count() - begin)));
  };
  const auto write = [&](const BlockPtr& block) {
    if (stopped) return;
    pair.append(*block);
    done += block->labels.size();
    stopped = !progress(done);
  };
  tbb::parallel_pipeline(
      tokens, tbb::make_filter<void, std::uint32_t>(tbb::filter_mode::serial_in_order, take) &
                  tbb::make_filter<std::uint32_t, BlockPtr>(tbb::filter_mode::parallel, make) &
                  tbb::make_filter<BlockPtr, void>(tbb::filter_mode::serial_in_order, write));
  return !stopped;
}

void check_free(const SynthSpec& spec) {
  const auto found = find_idx_files(spec.folder);
  const auto mnist = found.find("");
  if (mnist == found.end()) return;
  for (const DataSplit split : {DataSplit::kTrain, DataSplit::kTest, DataSplit::kValidation}) {
    const bool drawn = split == DataSplit::kTrain || (split == DataSplit::kTest && spec.test > 0);
    for (const IdxRole role : {IdxRole::kImages, IdxRole::kLabels}) {
      if (!mnist->second.has(split, role) || (drawn && spec.force)) continue;
      const fs::path& path = mnist->second.at(split, role);
      if (drawn) throw DataError(path, "is there already; --force replaces it");
      throw DataError(
          path,
          std::string("would stay beside training files it does not belong to; ") +
              (split == DataSplit::kTest ? "remove it, or draw test images too" : "remove it"));
    }
  }
}

}  // namespace

std::vector<fs::path> draw_data_set(const SynthSpec& spec,
                                    const std::function<bool(std::uint64_t)>& progress) {
  const MadeFolder folder(spec.folder);
  check_free(spec);

  std::vector<std::unique_ptr<Pair>> pairs;
  pairs.push_back(std::make_unique<Pair>(spec.folder, "train", spec.train));
  if (spec.test > 0) pairs.push_back(std::make_unique<Pair>(spec.folder, "t10k", spec.test));

  const SyntheticDigits digits{spec.seed};
  const int jobs = spec.jobs == 0 ? tbb::info::default_concurrency() : static_cast<int>(spec.jobs);
  tbb::task_arena arena(jobs);
  const bool finished = arena.execute([&] {
    std::uint64_t first = 0;
    std::uint64_t done = 0;
    for (const auto& pair : pairs) {
      const auto tokens = 2 * static_cast<std::size_t>(jobs);
      if (!fill(*pair, digits, first, tokens, done, progress)) return false;
      first = kFirstTest;
      done += pair->count();
    }
    return true;
  });
  std::vector<fs::path> written;
  if (!finished) return written;
  for (const auto& pair : pairs) pair->commit(written);
  return written;
}

}  // namespace millrace
