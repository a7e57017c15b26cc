// How fast samples come out of a seekable zstd file in memory: its frames decoded by FrameDecoder
// on one core, by a worker of the loader that mixes them into chunks, and by decode_frames on all
// cores, against ZSTD_decompressDCtx of the same frames on one core, in turn in one run.
#include <time.h>  // NOLINT(modernize-deprecated-headers): clock_gettime
#include <zstd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "formats/bytes.h"
#include "formats/idx.h"
#include "formats/mapped_file.h"
#include "formats/seekable_dataset.h"
#include "formats/seekable_idx.h"
#include "formats/seekable_zstd.h"
#include "formats/synthetic_digits.h"
#include "loader/chunk_cursor.h"
#include "loader/chunk_filler.h"
#include "loader/window_stage.h"

namespace millrace {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::string file;
  std::uint32_t samples = 60'000;
  int level = 3;
  // So many that a run's beginning, when memory is taken from the system, counts for little.
  std::uint64_t epochs = 10;
  double seconds = 2.0;
  bool smoke = false;
};

/// A file of synthetic digits that goes away with it.
class Digits {
 public:
  explicit Digits(const Options& options)
      : path_(std::filesystem::temp_directory_path() /
              ("millrace-zstd-bench-" + std::to_string(Clock::now().time_since_epoch().count()) +
               ".zst")) {
    const SyntheticDigits digits{1};
    std::vector<std::uint8_t> image(SyntheticDigits::kPixels);
    SeekableIdxWriter writer(
        path_, {DType::kUInt8, {options.samples, SyntheticDigits::kSide, SyntheticDigits::kSide}},
        {.level = options.level});
    for (std::uint32_t i = 0; i < options.samples; ++i) {
      digits.draw(i, image);
      writer.append(std::as_bytes(std::span(image)));
    }
    writer.commit();
  }
  ~Digits() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  Digits(const Digits&) = delete;
  Digits& operator=(const Digits&) = delete;
  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

// Of this thread's processor, so that a busy machine slows no contestant but by its caches.
double seconds_of(const std::function<void()>& work) {
  const auto now = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
  };
  const double begin = now();
  work();
  return now() - begin;
}

/// Epochs of chunks from frames that stay on disk, on this thread, as a worker of the loader makes
/// them.
class Chunks {
 public:
  Chunks(const std::filesystem::path& images, std::uint64_t epochs) {
    const std::uint32_t count = read_idx_header(images).dims.at(0);
    Bytes zeros = Bytes::allocate(count);
    std::ranges::fill(zeros.writable(), std::byte{0});
    IdxArray labels("labels", {DType::kUInt8, {count}}, std::move(zeros), 0);
    const auto data = std::make_shared<SeekableDataset>(images, std::move(labels), 10U);
    spec_.data = data;
    spec_.subset = Subset::all(count);
    spec_.kind = ChunkKind::kPacked;
    spec_.chunk_batches = 40;
    spec_.epochs = epochs;
    spec_.window_blocks = blocks_of_window(*data, std::uint64_t{32} << 20U);
  }
  void deliver() const {
    ChunkCursor cursor({spec_.subset.size(), spec_.batch, spec_.chunk_batches, spec_.epochs}, {});
    ChunkFiller filler(spec_);
    ChunkSlot slot = filler.make_slot(pageable_memory());
    while (const auto plan = cursor.next()) {
      const std::uint32_t parts = filler.prepare(slot, *plan);
      for (std::uint32_t part = 0; part < parts; ++part) {
        while (!filler.ready(slot, part)) filler.read_ahead();
        filler.fill(slot, part);
      }
    }
  }

 private:
  LoaderSpec spec_;
};

// Runs all of `works` in turn for about `seconds`, at least three times, and returns each one's
// best time: what else the machine did only makes it longer.
std::vector<double> in_turn(const std::vector<std::function<void()>>& works, double seconds) {
  std::vector<double> best(works.size(), 1e9);
  const auto begin = Clock::now();
  for (int round = 0;
       round < 3 || std::chrono::duration<double>(Clock::now() - begin).count() < seconds;
       ++round) {
    for (std::size_t i = 0; i < works.size(); ++i) {
      best[i] = std::min(best[i], seconds_of(works[i]));
    }
  }
  return best;
}

nlohmann::ordered_json measure(const Options& options) {
  std::unique_ptr<Digits> digits;
  if (options.file.empty()) digits = std::make_unique<Digits>(options);
  const auto path = digits ? digits->path() : std::filesystem::path(options.file);
  const MappedFile file(path);
  const auto table = read_seek_table(path, file.bytes());
  if (!table) throw std::runtime_error(path.string() + ": no seek table");
  const SeekableView view{.path = path, .file = file.bytes(), .table = *table};
  const auto samples = static_cast<double>(read_idx_header(path).dims.at(0));
  const auto& frames = table->frames();
  std::vector<std::byte> whole(static_cast<std::size_t>(table->content_size()));
  const auto place = [&](std::size_t i) {
    return std::span(whole).subspan(static_cast<std::size_t>(frames[i].content_at),
                                    frames[i].content);
  };
  FrameDecoder decoder;
  const auto own = [&] {
    for (std::size_t i = 0; i < frames.size(); ++i) decoder.decode(view, i, place(i));
  };
  const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(),
                                                                     &ZSTD_freeDCtx);
  const auto plain = [&] {
    for (std::size_t i = 0; i < frames.size(); ++i) {
      const auto out = place(i);
      const auto in = view.stored(i);
      if (ZSTD_decompressDCtx(context.get(), out.data(), out.size(), in.data(), in.size()) !=
          out.size()) {
        throw std::runtime_error(path.string() + ": broken");
      }
    }
  };
  const Chunks delivery(path, options.epochs);
  const auto epochs = static_cast<double>(options.epochs);
  const auto chunks = [&] { delivery.deliver(); };
  const auto times = in_turn({own, plain, chunks}, options.seconds);
  const auto begin = Clock::now();
  decode_frames(view, whole);
  const double all_cores = std::chrono::duration<double>(Clock::now() - begin).count();
  const auto gigabytes = static_cast<double>(whole.size()) / 1e9;
  return {{"bench", "zstd"},
          {"samples", samples},
          {"frames", frames.size()},
          {"content_bytes", whole.size()},
          {"stored_bytes", file.bytes().size()},
          {"threads", std::thread::hardware_concurrency()},
          {"one_core_samples_per_s", samples / times[0]},
          {"one_core_gb_per_s", gigabytes / times[0]},
          {"one_core_frames_per_s", static_cast<double>(frames.size()) / times[0]},
          {"zstd_samples_per_s", samples / times[1]},
          {"zstd_gb_per_s", gigabytes / times[1]},
          {"ratio", times[1] / times[0]},
          {"chunks_samples_per_s", epochs * samples / times[2]},
          {"chunks_ratio", epochs * times[1] / times[2]},
          {"all_cores_samples_per_s", samples / all_cores},
          {"all_cores_gb_per_s", gigabytes / all_cores}};
}

}  // namespace
}  // namespace millrace

int main(int argc, char** argv) {
  millrace::Options options;
  CLI::App app{"Frames of a seekable zstd file against plain decoding, on one core and on all"};
  app.add_option("--file", options.file, "Seekable IDX file [synthetic digits]");
  app.add_option("--samples", options.samples, "Synthetic samples")
      ->check(CLI::Range(1U, 10'000'000U));
  app.add_option("--level", options.level, "zstd's level of the synthetic file")
      ->check(CLI::Range(1, 22));
  app.add_option("--epochs", options.epochs, "Epochs of chunks in a run, whose memory is new")
      ->check(CLI::Range(1U, 1000U));
  app.add_option("--seconds", options.seconds, "Time of the comparison")
      ->check(CLI::PositiveNumber);
  app.add_flag("--smoke", options.smoke, "A tiny run that only shows that it works");
  CLI11_PARSE(app, argc, argv);
  if (options.smoke) {
    options.samples = 2'000;
    options.epochs = 2;
    options.seconds = 0.02;
  }
  std::printf("%s\n", millrace::measure(options).dump(2).c_str());
  return 0;
}
