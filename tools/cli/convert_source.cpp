#include "tools/cli/convert_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "formats/error.h"
#include "formats/folder.h"
#include "formats/shard_manifest.h"
#include "tools/cli/idx_files.h"
#include "tools/cli/piece_reader.h"
#include "tools/cli/selection.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPiece = std::size_t{4} << 20;

std::uint32_t idx_size(const Dataset& data, std::uint64_t size) {
  constexpr auto kMost = std::numeric_limits<std::uint32_t>::max();
  if (size > kMost) {
    throw DataError(data.name(), std::nullopt, fmt::format("at most {} in a dimension", kMost),
                    std::to_string(size));
  }
  return static_cast<std::uint32_t>(size);
}

// One data set on its way into two files.
class Part {
 public:
  Part(ConvertPart part, std::uint32_t jobs) : part_(std::move(part)), reader_(part_.data, jobs) {}

  const ConvertPart& part() const noexcept { return part_; }

  bool read_images(const PieceSink& sink) {
    labels_.reserve(static_cast<std::size_t>(part_.data->size() * part_.data->label_words()));
    return reader_.read(0, part_.data->size(), [&](auto samples, auto labels) {
      labels_.insert(labels_.end(), labels.begin(), labels.end());
      return sink(samples);
    });
  }

  bool read_labels(const PieceSink& sink) const { return sink(part_.encode_labels(labels_)); }

 private:
  ConvertPart part_;
  PieceReader reader_;
  std::vector<std::int32_t> labels_;  // of the images read
};

void add_part(std::vector<ConvertSource>& sources, ConvertPart of, std::uint32_t jobs) {
  const auto part = std::make_shared<Part>(std::move(of), jobs);
  const auto add = [&](std::string_view role, IdxHeader header,
                       std::function<bool(const PieceSink&)> read) {
    auto name = part->part().file_name(role, header);
    sources.push_back(
        {part->part().data->name(), std::move(name), 0, std::move(header), std::move(read)});
  };
  auto images = part->part().images_header();
  auto labels = part->part().labels_header(images.dims[0]);
  add("images", std::move(images),
      [part](const PieceSink& sink) { return part->read_images(sink); });
  add("labels", std::move(labels),
      [part](const PieceSink& sink) { return part->read_labels(sink); });
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

std::string_view idx_word(DataSplit split) noexcept {
  switch (split) {
    case DataSplit::kTrain:
      return "train";
    case DataSplit::kTest:
      return "t10k";
    case DataSplit::kValidation:
      break;
  }
  return "val";
}

IdxHeader idx_labels_header(std::uint64_t samples, std::uint32_t classes, std::uint32_t targets) {
  constexpr std::uint32_t kByteLabels = 256;
  IdxHeader header{classes <= kByteLabels ? DType::kUInt8 : DType::kInt32,
                   {static_cast<std::uint32_t>(samples)}};
  if (targets > 0) header.dtype = DType::kFloat32;
  if (targets > 1) header.dims.push_back(targets);
  return header;
}

std::string idx_file_name(DataSplit split, std::string_view role, const IdxHeader& header) {
  const auto type = header.dtype == DType::kUInt8 ? "ubyte" : name_of(header.dtype);
  return fmt::format("{}-{}-idx{}-{}", idx_word(split), role, header.dims.size(), type);
}

IdxHeader ConvertPart::images_header() const {
  if (!idx_type(data->dtype())) {
    throw DataError(data->name(), std::nullopt, "an element type that IDX has",
                    std::string(name_of(data->dtype())));
  }
  IdxHeader header{data->dtype(), {idx_size(*data, data->size())}};
  for (const auto dim : data->shape().dims) header.dims.push_back(idx_size(*data, dim));
  return header;
}

std::vector<std::byte> ConvertPart::encode_labels(std::span<const std::int32_t> labels) const {
  // Targets are there by their bits.
  if (labels_header(0).dtype != DType::kUInt8) {
    const auto bytes = std::as_bytes(labels);
    return {bytes.begin(), bytes.end()};
  }
  std::vector<std::byte> narrow(labels.size());
  std::ranges::transform(labels, narrow.begin(),
                         [](std::int32_t label) { return static_cast<std::byte>(label); });
  return narrow;
}

std::string ConvertPart::file_name(std::string_view role, const IdxHeader& header) const {
  return idx_file_name(split, role, header);
}

std::vector<ConvertPart> convert_parts(const ConvertSpec& spec) {
  auto opened = open_folder(spec.in, {.image = spec.image,
                                      .task = spec.task,
                                      .label_column = spec.label_column,
                                      .own_validation = true,
                                      .table = spec.table});
  if (spec.opened) spec.opened(opened.description);
  if (spec.split) {
    if (opened.test) {
      throw DataError(spec.in, std::nullopt, "a data set without test samples to split",
                      fmt::format("{} test samples", opened.test->size()));
    }
    const auto parts = split_randomly(opened.train, spec.split->train, spec.split->test, spec.seed);
    opened.train = parts.train;
    opened.test = parts.test;
  }
  std::vector<ConvertPart> parts;
  const auto add = [&](DataSplit split, std::shared_ptr<const Dataset> data) {
    if (!data) return;
    if (spec.shards > data->size()) {
      throw std::invalid_argument(
          fmt::format("--shards: expected at most {}, a shard for each {} "
                      "sample of {}, found {}",
                      data->size(), split == DataSplit::kTrain ? "training" : name_of(split),
                      data->name(), spec.shards));
    }
    parts.push_back({split, std::move(data), opened.train->class_names()});
  };
  add(DataSplit::kTrain, opened.train);
  add(DataSplit::kTest, opened.test);
  add(DataSplit::kValidation, opened.validation);
  return parts;
}

std::vector<ConvertSource> convert_sources(const ConvertSpec& spec) {
  std::vector<ConvertSource> sources;
  const bool as_it_is = !spec.split && spec.image == ImageOptions{} && spec.label_column.empty() &&
                        spec.table == TableOptions{};
  if (as_it_is && !has_manifest(spec.in) && has_idx_files(spec.in)) {
    for (const auto& from : idx_files_at(spec.in)) sources.push_back(idx_source(from));
    return sources;
  }
  for (auto& part : convert_parts(spec)) add_part(sources, std::move(part), spec.jobs);
  return sources;
}

}  // namespace millrace
