// Whether damage to a shard is found, named and survived, wherever it is: every 997th bit of the
// file of images flipped, one at a time, and the file cut at every 10,007th byte. Each time the set
// is verified as `tools verify` does it and salvaged as `tools repair` does it. Exits with 1 where
// something was missed.
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "formats/file_descriptor.h"
#include "formats/folder.h"
#include "formats/hash.h"
#include "formats/idx_pair.h"
#include "formats/idx_salvage.h"
#include "formats/mapped_file.h"
#include "formats/seek_table.h"
#include "formats/seekable_idx.h"
#include "formats/shard_manifest.h"
#include "formats/shard_names.h"
#include "formats/synthetic_digits.h"
#include "tools/cli/verify.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;
using Buffer = std::vector<std::byte>;

struct Options {
  std::string data;
  std::uint32_t samples = 6'000;
  std::uint64_t bit_step = 997;
  std::uint64_t cut_step = 10'007;
  int level = 3;
  std::uint32_t threads = std::max(1U, std::thread::hardware_concurrency());
  bool smoke = false;
};

/// The samples of the shard.
struct Content {
  DType dtype = DType::kUInt8;
  SampleShape shape;
  Buffer samples;
  std::vector<std::int32_t> labels;
  std::uint32_t classes = 10;
};

Content content_of(const Options& options) {
  Content content;
  if (!options.data.empty()) {
    const auto data = open_folder(options.data).train;
    std::vector<std::uint64_t> ids(std::min<std::uint64_t>(options.samples, data->size()));
    std::iota(ids.begin(), ids.end(), std::uint64_t{0});
    content = {.dtype = data->dtype(),
               .shape = data->shape(),
               .samples = Buffer(ids.size() * data->sample_bytes()),
               .labels = std::vector<std::int32_t>(ids.size()),
               .classes = data->classes()};
    data->read(ids, content.samples, content.labels);
    return content;
  }
  const SyntheticDigits digits{1};
  content.shape.dims = {SyntheticDigits::kSide, SyntheticDigits::kSide};
  content.samples.resize(options.samples * std::size_t{SyntheticDigits::kPixels});
  const auto pixels =
      std::span(reinterpret_cast<std::uint8_t*>(content.samples.data()), content.samples.size());
  for (std::uint32_t i = 0; i < options.samples; ++i) {
    const auto at = i * std::size_t{SyntheticDigits::kPixels};
    content.labels.push_back(digits.draw(i, pixels.subspan(at, SyntheticDigits::kPixels)));
  }
  return content;
}

ShardFile described(const fs::path& path) {
  const MappedFile file(path);
  return {.name = path.filename().string(),
          .bytes = file.bytes().size(),
          .hash = hash_hex(file.bytes()),
          .table = hash_hex(read_seek_table(path, file.bytes()).value().encode())};
}

/// A set of one shard in a folder that goes away with it.
class Set {
 public:
  Set(const Content& content, int level, std::uint32_t number)
      : folder_(fs::temp_directory_path() /
                ("millrace-damage-" + std::to_string(::getpid()) + "-" + std::to_string(number))),
        images_(folder_ / shard_file_name("train-images-idx3-ubyte", 0, 1)) {
    fs::create_directory(folder_);
    const auto count = static_cast<std::uint32_t>(content.labels.size());
    header_ = {content.dtype, {count}};
    for (const auto dim : content.shape.dims) {
      header_.dims.push_back(static_cast<std::uint32_t>(dim));
    }
    SeekableIdxWriter images(images_, header_, {.level = level});
    images.append(content.samples);
    images.commit();
    const auto labels_path = folder_ / shard_file_name("train-labels-idx1-ubyte", 0, 1);
    SeekableIdxWriter labels(labels_path, {DType::kInt32, {count}});
    labels.append(std::as_bytes(std::span(content.labels)));
    labels.commit();
    ShardManifest manifest{
        .dtype = content.dtype, .shape = content.shape.dims, .classes = content.classes};
    manifest.train.samples = count;
    manifest.train.hash = hash_hex({});  // asked for only where nothing else is wrong
    manifest.train.shards.push_back(
        {.samples = count, .images = described(images_), .labels = described(labels_path)});
    write_manifest(folder_, manifest);
    const MappedFile file(images_);
    stored_.assign(file.bytes().begin(), file.bytes().end());
    table_ = read_seek_table(images_, stored_).value();
  }
  ~Set() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  Set(const Set&) = delete;
  Set& operator=(const Set&) = delete;

  const fs::path& folder() const noexcept { return folder_; }
  const fs::path& images() const noexcept { return images_; }
  const IdxHeader& header() const noexcept { return header_; }
  const SeekTable& table() const noexcept { return table_; }
  std::span<const std::byte> stored() const noexcept { return stored_; }

  void put(std::uint64_t at, std::byte value) const {
    const FileDescriptor file(::open(images_.c_str(), O_WRONLY | O_CLOEXEC));
    if (!file || ::pwrite(file.get(), &value, 1, static_cast<off_t>(at)) != 1) {
      throw std::runtime_error(images_.string() + ": cannot be written");
    }
  }
  void cut(std::uint64_t size) const { fs::resize_file(images_, size); }
  void restore() const {
    std::ofstream file(images_, std::ios::binary | std::ios::trunc);
    file.write(reinterpret_cast<const char*>(stored_.data()),
               static_cast<std::streamsize>(stored_.size()));
    if (!file.flush()) throw std::runtime_error(images_.string() + ": cannot be written");
  }

 private:
  fs::path folder_;
  fs::path images_;
  IdxHeader header_;
  Buffer stored_;
  SeekTable table_;
};

struct Tally {
  std::uint64_t tried = 0;
  std::uint64_t found = 0;      ///< something is wrong, it says, and with no other file
  std::uint64_t named = 0;      ///< exactly the samples that cannot be salvaged are named
  std::uint64_t salvaged = 0;   ///< all others are, and what is salvaged is what was stored
  std::uint64_t lost = 0;       ///< samples
  std::uint64_t hash_only = 0;  ///< nothing reads that bit: the manifest's hash alone knows

  Tally& operator+=(const Tally& other) noexcept {
    tried += other.tried;
    found += other.found;
    named += other.named;
    salvaged += other.salvaged;
    lost += other.lost;
    hash_only += other.hash_only;
    return *this;
  }
  bool complete() const noexcept {
    return tried != 0 && found == tried && named == tried && salvaged == tried;
  }
  nlohmann::ordered_json json() const {
    return {{"tried", tried},       {"found", found},       {"named", named},
            {"salvaged", salvaged}, {"samples_lost", lost}, {"found_by_hash_alone", hash_only}};
  }
};

/// Looks at the set as it is now. `may_lose`: which samples the damage may cost.
Tally look(const Set& set, const Content& content, const std::vector<SampleRange>& may_lose) {
  Tally tally{.tried = 1};
  const auto verified = verify(set.folder(), [](std::size_t, std::size_t) { return true; });
  std::uint64_t in_images = 0;
  std::vector<bool> named(content.labels.size());
  for (const auto& file : verified.files) {
    if (file.path != set.images()) continue;
    in_images = file.faults.size();
    for (const auto& fault : file.faults) {
      std::fill_n(named.begin() + static_cast<std::ptrdiff_t>(fault.samples.first),
                  fault.samples.count, true);
    }
  }
  tally.found = in_images != 0 && in_images == verified.faults() ? 1 : 0;
  const SalvagedIdx salvaged(set.images(), set.header());
  tally.hash_only = salvaged.faults().empty() ? 1 : 0;
  const auto bytes = content.samples.size() / content.labels.size();
  bool same = true;
  std::vector<bool> there(content.labels.size());
  salvaged.read([&](std::uint64_t first, std::span<const std::byte> samples) {
    same = same && std::ranges::equal(
                       samples, std::span(content.samples).subspan(first * bytes, samples.size()));
    std::fill_n(there.begin() + static_cast<std::ptrdiff_t>(first), samples.size() / bytes, true);
  });
  const auto lost = lost_ranges(there);
  for (const auto& range : lost) tally.lost += range.count;
  tally.named = lost == lost_ranges([&] {
                  auto sound = named;
                  sound.flip();
                  return sound;
                }())
                    ? 1
                    : 0;
  tally.salvaged = same && (lost.empty() || lost == may_lose) ? 1 : 0;
  return tally;
}

/// Samples of the frames that `hit` says something of.
template <typename Hit>
std::vector<SampleRange> samples_of_frames(const Set& set, const Content& content, const Hit& hit) {
  std::vector<bool> sound(content.labels.size(), true);
  const auto bytes = content.samples.size() / content.labels.size();
  const auto head = set.header().header_bytes();
  for (const auto& frame : set.table().frames()) {
    if (frame.content_at < head || !hit(frame)) continue;
    std::fill_n(sound.begin() + static_cast<std::ptrdiff_t>((frame.content_at - head) / bytes),
                frame.content / bytes, false);
  }
  return lost_ranges(sound);
}

/// work(set, i) for i in [0, count), each thread with a set of its own.
template <typename Work>
Tally on_threads(const Content& content, const Options& options, std::uint64_t count,
                 const Work& work) {
  std::atomic<std::uint64_t> next{0};
  std::mutex mutex;
  Tally all;
  std::exception_ptr error;
  {
    std::vector<std::jthread> threads;
    for (std::uint32_t t = 0; t < options.threads; ++t) {
      threads.emplace_back([&, t] {
        try {
          const Set set(content, options.level, t);
          Tally mine;
          for (std::uint64_t i = 0; (i = next++) < count;) mine += work(set, i);
          const std::scoped_lock lock(mutex);
          all += mine;
        } catch (...) {
          const std::scoped_lock lock(mutex);
          error = std::current_exception();
        }
      });
    }
  }
  if (error) std::rethrow_exception(error);
  return all;
}

int run(const Options& options) {
  const auto content = content_of(options);
  std::uint64_t size = 0;
  std::uint64_t frames = 0;
  {
    const Set set(content, options.level, options.threads);
    size = set.stored().size();
    frames = set.table().frames().size();
  }
  const auto begin = std::chrono::steady_clock::now();
  const auto flips =
      on_threads(content, options, (8 * size - 1) / options.bit_step + 1,
                 [&](const Set& set, std::uint64_t i) {
                   const auto bit = i * options.bit_step;
                   const auto at = bit / 8;
                   const auto before = set.stored()[at];
                   set.put(at, before ^ static_cast<std::byte>(1U << bit % 8));
                   const auto tally = look(
                       set, content, samples_of_frames(set, content, [at](const SeekFrame& frame) {
                         return at >= frame.stored_at && at - frame.stored_at < frame.stored;
                       }));
                   set.put(at, before);
                   return tally;
                 });
  const auto cuts = on_threads(
      content, options, (size - 1) / options.cut_step + 1, [&](const Set& set, std::uint64_t i) {
        const auto end = i * options.cut_step;
        set.cut(end);
        const auto tally =
            look(set, content, samples_of_frames(set, content, [end](const SeekFrame& frame) {
                   return frame.stored_at + frame.stored > end;
                 }));
        set.restore();
        return tally;
      });
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  const nlohmann::ordered_json result{
      {"bench", "damage"},   {"samples", content.labels.size()}, {"stored_bytes", size},
      {"frames", frames},    {"threads", options.threads},       {"flips", flips.json()},
      {"cuts", cuts.json()}, {"seconds", seconds.count()}};
  std::printf("%s\n", result.dump(2).c_str());
  return flips.complete() && cuts.complete() ? 0 : 1;
}

}  // namespace
}  // namespace millrace

int main(int argc, char** argv) {
  millrace::Options options;
  CLI::App app{"Damage to a shard: found, named, and all other samples salvaged"};
  app.add_option("--data", options.data,
                 "Data set whose first samples are taken [synthetic digits]");
  app.add_option("--samples", options.samples, "Samples of the shard")
      ->check(CLI::Range(1U, 1'000'000U));
  app.add_option("--bits", options.bit_step, "Every so many bits, one is flipped")
      ->check(CLI::PositiveNumber);
  app.add_option("--cuts", options.cut_step, "Every so many bytes, the file is cut")
      ->check(CLI::PositiveNumber);
  app.add_option("--level", options.level, "zstd's level")->check(CLI::Range(1, 22));
  app.add_option("--threads", options.threads, "Threads")->check(CLI::Range(1U, 1024U));
  app.add_flag("--smoke", options.smoke, "A tiny run that only shows that it works");
  CLI11_PARSE(app, argc, argv);
  if (options.smoke) {
    options.samples = 700;
    options.bit_step = 99'991;
  }
  try {
    return millrace::run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "damage_bench: %s\n", error.what());
    return 2;
  }
}
