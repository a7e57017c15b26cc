#include "formats/seekable_dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "formats/byte_order.h"
#include "formats/error.h"
#include "formats/idx_pair.h"
#include "formats/kept_error.h"
#include "formats/run_blocks.h"
#include "formats/seekable_zstd.h"

namespace millrace {
namespace {

// What a reader keeps decoded: blocks of the usual size, so that a few random streams go on well.
constexpr std::size_t kCachedBlocks = 4;
constexpr std::uint64_t kCachedBytes = std::uint64_t{4} << 20;

/// Where a block would begin or end inside a sample; nullopt if none does.
std::optional<std::uint64_t> split_sample(const IdxHeader& header, std::uint64_t sample_bytes,
                                          const SeekTable& table) {
  for (const auto& frame : table.frames()) {
    const auto end = frame.content_at + frame.content;
    if (end > header.header_bytes() && (end - header.header_bytes()) % sample_bytes != 0) {
      return end;
    }
  }
  return std::nullopt;
}

/// Lets go of a part of a file in the end, whatever happens.
struct Forget {
  const MappedFile& file;
  std::size_t at;
  std::size_t length;

  ~Forget() { file.forget(at, length); }
};

std::uint64_t sample_bytes_of(const SampleShape& shape, const IdxHeader& header) {
  return shape.elements() * size_of(header.dtype);
}

SeekTable table_of(const std::filesystem::path& path, std::span<const std::byte> file) {
  auto table = read_seek_table(path, file);
  if (!table)
    throw DataError(path, std::nullopt, "a seekable zstd file", "one without a seek table");
  return std::move(*table);
}

}  // namespace

/// A decoder, and the blocks that it decoded last.
class SeekableDataset::Reader {
 public:
  FrameDecoder& decoder() noexcept { return decoder_; }
  std::vector<std::byte>& scratch() noexcept { return scratch_; }

  /// The samples of block `index`.
  std::span<const std::byte> block(const SeekableDataset& data, std::size_t index) {
    for (auto& cached : cache_) {
      if (cached.index != index || (cached.bytes.empty() && !cached.error)) continue;
      cached.used = ++clock_;
      if (cached.error) cached.error.raise();
      return cached.bytes;
    }
    const auto bytes = data.blocks_[index].count * data.sample_bytes();
    const bool small = data.largest_block_ * data.sample_bytes() * kCachedBlocks <= kCachedBytes;
    if (cache_.empty()) cache_.resize(small ? kCachedBlocks : 1);
    auto& slot = *std::ranges::min_element(cache_, {}, &Cached::used);
    slot.bytes.resize(static_cast<std::size_t>(bytes));
    slot.error = {};
    try {
      data.decode_samples(index, slot.bytes, *this);
    } catch (const DataError&) {
      // Kept, so that asking for each of its samples does not decode it each time.
      slot.bytes.clear();
      slot.index = index;
      slot.used = ++clock_;
      slot.error = KeptError::current();
      throw;
    } catch (...) {
      slot.bytes.clear();
      throw;
    }
    slot.index = index;
    slot.used = ++clock_;
    return slot.bytes;
  }

 private:
  struct Cached {
    std::size_t index = 0;
    std::uint64_t used = 0;
    std::vector<std::byte> bytes;  // empty: nothing, or
    KeptError error;               // why not
  };
  FrameDecoder decoder_;
  std::vector<std::byte> scratch_;
  std::vector<Cached> cache_;
  std::uint64_t clock_ = 0;
};

bool SeekableDataset::opens(const std::filesystem::path& images, std::uint64_t more_than) {
  const MappedFile file(images);
  const auto table = read_seek_table(images, file.bytes());
  if (!table || table->content_size() <= more_than) return false;
  const auto header = read_idx_header(images);
  return !split_sample(header, sample_bytes_of(idx_sample_shape(images, header), header), *table);
}

SeekableDataset::SeekableDataset(const std::filesystem::path& images, IdxArray labels,
                                 std::optional<std::uint32_t> classes, Task task)
    : name_(images.string()) {
  add_file({.images = images, .labels = std::move(labels)}, classes, task);
}

SeekableDataset::SeekableDataset(std::string name, std::span<const Pair> pairs,
                                 std::optional<std::uint32_t> classes,
                                 std::vector<std::string> class_names, Task task)
    : name_(std::move(name)), class_names_(std::move(class_names)) {
  if (pairs.empty()) throw std::invalid_argument(name_ + ": a data set of no files");
  files_.reserve(pairs.size());
  for (const auto& pair : pairs) add_file(pair, classes, task);
}

void SeekableDataset::add_file(const Pair& pair, std::optional<std::uint32_t> classes, Task task) {
  const auto& path = pair.images;
  MappedFile bytes(path);
  auto table = table_of(path, bytes.bytes());
  const auto header = read_idx_header(path);
  auto shape = idx_sample_shape(path, header);
  if (files_.empty()) {
    dtype_ = header.dtype;
    shape_ = std::move(shape);
  } else if (header.dtype != dtype_ || shape != shape_) {
    const std::uint64_t at = header.dtype == dtype_ ? 4 : 2;  // of the sizes, of the type
    throw DataError(path, at,
                    fmt::format("samples of {} {}, as in {}", shape_.text(), name_of(dtype_),
                                files_[0].path.string()),
                    fmt::format("{} {}", shape.text(), name_of(header.dtype)));
  }
  const auto head = header.header_bytes();
  const auto expected = head + idx_data_bytes(header);
  if (table.content_size() != expected) {
    throw DataError(path, std::min(expected, table.content_size()),
                    fmt::format("{} bytes (an IDX file of {})", expected, header.describe()),
                    fmt::format("frames of {} bytes", table.content_size()));
  }
  if (const auto at = split_sample(header, sample_bytes(), table)) {
    throw DataError(path, *at, fmt::format("frames of whole samples of {} bytes", sample_bytes()),
                    "one that ends inside a sample");
  }
  const auto before = size();
  auto found = idx_labels(path, header, pair.labels, classes, task);
  if (files_.empty()) {
    targets_ = found.targets;
  } else if (found.targets != targets_) {
    throw DataError(pair.labels.path(), std::nullopt,
                    fmt::format("{} targets of a sample, as those of {} have", targets_,
                                files_[0].path.string()),
                    fmt::format("{}", found.targets));
  }
  if (before == 0) {
    labels_ = std::move(found.values);
  } else {
    labels_.insert(labels_.end(), found.values.begin(), found.values.end());
  }
  classes_ = std::max(classes_, found.classes);
  for (std::size_t i = 0; i < table.frames().size(); ++i) {
    const auto& frame = table.frames()[i];
    const auto end = frame.content_at + frame.content;
    const auto begin = std::max<std::uint64_t>(frame.content_at, head);
    if (end <= begin) continue;
    blocks_.push_back({.first = before + (begin - head) / sample_bytes(),
                       .count = (end - begin) / sample_bytes()});
    places_.push_back({.file = files_.size(), .frame = i});
    largest_block_ = std::max(largest_block_, blocks_.back().count);
  }
  stored_ += bytes.bytes().size();
  files_.push_back({.path = path, .bytes = std::move(bytes), .table = std::move(table)});
}

SeekableDataset::~SeekableDataset() = default;

std::optional<std::string> SeekableDataset::fingerprint() const {
  const auto has_checksums = [](const File& file) { return file.table.has_checksums(); };
  if (!std::ranges::all_of(files_, has_checksums)) return std::nullopt;
  auto hasher = begin_dataset_hash(*this);
  std::vector<std::uint32_t> frames;
  for (const auto& file : files_) {
    for (const auto& frame : file.table.frames()) {
      frames.push_back(frame.content);
      frames.push_back(frame.checksum);
    }
  }
  hasher.update(std::span<const std::uint32_t>(frames));
  hasher.update(std::as_bytes(std::span(labels_)));
  return hasher.hex();
}

void SeekableDataset::read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
                           std::span<std::int32_t> labels) const {
  check_read(*this, ids, samples, labels);
  const std::size_t words = label_words();
  std::vector<std::size_t> order(ids.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [ids](std::size_t i) { return ids[i]; });
  const auto bytes = static_cast<std::size_t>(sample_bytes());
  const Pool<Reader>::Lease reader(readers_);
  for (auto next = order.begin(); next != order.end();) {
    const auto after = std::ranges::upper_bound(blocks_, ids[*next], {}, &Block::first);
    const auto index = static_cast<std::size_t>(std::distance(blocks_.begin(), after)) - 1;
    const auto& block = blocks_[index];
    const auto decoded = reader->block(*this, index);
    for (; next != order.end() && ids[*next] < block.first + block.count; ++next) {
      const auto from = static_cast<std::size_t>(ids[*next] - block.first) * bytes;
      std::memcpy(&samples[*next * bytes], &decoded[from], bytes);
      const auto id = static_cast<std::size_t>(ids[*next]);
      std::copy_n(&labels_[id * words], words, &labels[*next * words]);
    }
  }
}

void SeekableDataset::expect_block(std::size_t index) const noexcept {
  const auto [number, frame_number] = places_[index];
  const auto& file = files_[number];
  const auto& frame = file.table.frames()[frame_number];
  file.bytes.expect(static_cast<std::size_t>(frame.stored_at), frame.stored);
}

void SeekableDataset::decode_block(std::size_t index, std::span<std::byte> samples) const {
  check_room(blocks_.at(index).count, samples);
  const Pool<Reader>::Lease reader(readers_);
  decode_samples(index, samples, *reader);
}

void SeekableDataset::decode_samples(std::size_t index, std::span<std::byte> samples,
                                     Reader& reader) const {
  const auto [number, frame] = places_[index];
  const auto& file = files_[number];
  const SeekableView view{.path = file.path, .file = file.bytes.bytes(), .table = file.table};
  const std::size_t content = file.table.frames()[frame].content;
  const auto stored = view.stored(frame);
  // Else a pass over a file that is larger than memory would fill it with the file. To map small
  // ones again is 2 to 3 % of decoding them.
  const Forget forget{file.bytes, static_cast<std::size_t>(stored.data() - view.file.data()),
                      stored_ > DiskDataset::kStays ? stored.size() : 0};
  if (content == samples.size()) {
    reader.decoder().decode(view, frame, samples);
  } else {  // the end of the header is in it
    auto& scratch = reader.scratch();
    scratch.resize(content);
    reader.decoder().decode(view, frame, scratch);
    std::memcpy(samples.data(), &scratch[content - samples.size()], samples.size());
  }
  if (const auto width = size_of(dtype_); width > 1) {
    convert_big_endian(samples, samples, width);
  }
}

}  // namespace millrace
