#include "tools/cli/convert_source.h"

#include <fmt/format.h>
#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "formats/error.h"
#include "formats/folder.h"
#include "formats/idx_names.h"
#include "tools/cli/idx_files.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPiece = std::size_t{4} << 20;
constexpr std::uint32_t kByteLabels = 256;  // classes that labels of one byte can name

std::uint32_t idx_size(const Dataset& data, std::uint64_t size) {
  constexpr auto kMost = std::numeric_limits<std::uint32_t>::max();
  if (size > kMost) {
    throw DataError(data.name(), std::nullopt, fmt::format("at most {} in a dimension", kMost),
                    std::to_string(size));
  }
  return static_cast<std::uint32_t>(size);
}

std::string_view idx_type_name(DType dtype) {
  return dtype == DType::kUInt8 ? "ubyte" : name_of(dtype);
}

// One data set on its way into two files.
class Part {
 public:
  Part(std::shared_ptr<const Dataset> data, std::uint32_t jobs)
      : data_(std::move(data)),
        arena_(jobs == 0 ? tbb::task_arena::automatic : static_cast<int>(jobs)),
        byte_labels_(data_->classes() <= kByteLabels) {}

  IdxHeader images_header() const {
    IdxHeader header{data_->dtype(), {idx_size(*data_, data_->size())}};
    for (const auto dim : data_->shape().dims) header.dims.push_back(idx_size(*data_, dim));
    return header;
  }
  IdxHeader labels_header() const {
    return {byte_labels_ ? DType::kUInt8 : DType::kInt32, {idx_size(*data_, data_->size())}};
  }
  fs::path name() const { return data_->name(); }

  bool read_images(const PieceSink& sink) {
    const std::size_t bytes = data_->sample_bytes();
    const std::size_t size = data_->size();
    const std::size_t most = std::max<std::size_t>(1, kPiece / std::max<std::size_t>(1, bytes));
    std::vector<std::uint64_t> ids(std::min(most, size));
    std::vector<std::byte> samples(ids.size() * bytes);
    labels_.resize(size);
    for (std::size_t first = 0; first < size; first += most) {
      const std::size_t count = std::min(most, size - first);
      std::iota(ids.begin(), ids.end(), std::uint64_t{first});
      arena_.execute([&] {
        tbb::parallel_for(tbb::blocked_range<std::size_t>(0, count), [&](const auto& range) {
          data_->read(std::span(ids).subspan(range.begin(), range.size()),
                      std::span(samples).subspan(range.begin() * bytes, range.size() * bytes),
                      std::span(labels_).subspan(first + range.begin(), range.size()));
        });
      });
      if (!sink(std::span(samples).first(count * bytes))) return false;
    }
    return true;
  }

  bool read_labels(const PieceSink& sink) const {
    if (!byte_labels_) return sink(std::as_bytes(std::span(labels_)));
    std::vector<std::byte> narrow(labels_.size());
    std::ranges::transform(labels_, narrow.begin(),
                           [](std::int32_t label) { return static_cast<std::byte>(label); });
    return sink(narrow);
  }

 private:
  std::shared_ptr<const Dataset> data_;
  tbb::task_arena arena_;
  bool byte_labels_;
  std::vector<std::int32_t> labels_;  // of the images read
};

void add_part(std::vector<ConvertSource>& sources, std::string_view split,
              std::shared_ptr<const Dataset> data, std::uint32_t jobs) {
  const auto part = std::make_shared<Part>(std::move(data), jobs);
  const auto add = [&](std::string_view role, IdxHeader header,
                       std::function<bool(const PieceSink&)> read) {
    auto name =
        fmt::format("{}-{}-idx{}-{}", split, role, header.dims.size(), idx_type_name(header.dtype));
    sources.push_back({part->name(), std::move(name), 0, std::move(header), std::move(read)});
  };
  add("images", part->images_header(),
      [part](const PieceSink& sink) { return part->read_images(sink); });
  add("labels", part->labels_header(),
      [part](const PieceSink& sink) { return part->read_labels(sink); });
}

bool has_idx_files(const fs::path& in) {
  std::error_code unreadable;
  return !fs::is_directory(in, unreadable) || !find_idx_files(in).empty();
}

ConvertSource idx_source(const fs::path& from) {
  return {from, plain_name(from), fs::file_size(from), read_idx_header(from),
          [from](const PieceSink& sink) {
            const auto array = read_idx(from);
            for (auto rest = array.data(); !rest.empty();) {
              const auto piece = rest.first(std::min(rest.size(), kPiece));
              if (!sink(piece)) return false;
              rest = rest.subspan(piece.size());
            }
            return true;
          }};
}

}  // namespace

std::vector<ConvertSource> convert_sources(const fs::path& in, const ImageOptions& image,
                                           std::uint32_t jobs) {
  std::vector<ConvertSource> sources;
  if (has_idx_files(in)) {
    for (const auto& from : idx_files_at(in)) sources.push_back(idx_source(from));
    return sources;
  }
  const auto opened = open_folder(in, {.image = image});
  add_part(sources, "train", opened.train, jobs);
  if (opened.test) add_part(sources, "t10k", opened.test, jobs);
  return sources;
}

}  // namespace millrace
