#include "formats/folder_kinds.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "formats/array_dataset.h"
#include "formats/compression.h"
#include "formats/error.h"
#include "formats/image_layout.h"
#include "formats/in_quotes.h"
#include "formats/random_content.h"
#include "formats/resized_dataset.h"
#include "formats/run_blocks.h"

namespace millrace {

void refuse_whole(const std::filesystem::path& path, const std::string& file,
                  std::string_view found) {
  throw DataError(file, std::nullopt, "data that can be streamed, being read piece by piece",
                  fmt::format("{} that is decoded whole; 'tools convert {} OUT' writes what can",
                              found, path.string()));
}

std::optional<std::string> compressed_whole(const std::filesystem::path& file) {
  const auto compression = EncodedFile(file).compression();
  if (compression == Compression::kNone || RandomContent::seekable_size(file)) return std::nullopt;
  return fmt::format("a {} file", name_of(compression));
}

void refuse_targets(const std::filesystem::path& path, const OpenOptions& options,
                    std::string_view found) {
  if (options.task == Task::kClassification) return;
  throw DataError(
      path, std::nullopt,
      "a CSV file, arrays or IDX files, which can have targets (--task regression or multilabel)",
      found);
}

namespace {

/// Of sets that go together.
void check_same_targets(const Dataset& data, const Dataset& train) {
  if (data.targets() != train.targets()) {
    throw DataError(data.name(), std::nullopt,
                    fmt::format("{}, as in {}", describe_labels(train), train.name()),
                    describe_labels(data));
  }
  const auto& names = data.column_names().targets;
  const auto& expected = train.column_names().targets;
  for (std::size_t i = 0; i < std::min(names.size(), expected.size()); ++i) {
    if (names[i] == expected[i]) continue;
    throw DataError(
        data.name(), std::nullopt,
        fmt::format("{} as target {}, as in {}", in_quotes(expected[i]), i, train.name()),
        in_quotes(names[i]));
  }
}

/// The flat samples of a table or an array as images.
std::shared_ptr<const Dataset> as_images(const std::shared_ptr<const Dataset>& data,
                                         const ImageSize& size) {
  const auto array = std::dynamic_pointer_cast<const ArrayDataset>(data);
  const auto pixels = std::uint64_t{size.width} * size.height;
  const auto elements = data->shape().elements();
  if (!array || data->shape().dims.size() != 1 || (elements != pixels && elements != 3 * pixels)) {
    throw DataError(data->name(), std::nullopt,
                    fmt::format("a table or an array of flat samples of {0} values, or {1}, to be "
                                "images (--image-size {2}x{3})",
                                pixels, 3 * pixels, size.width, size.height),
                    fmt::format("samples of {}", describe_samples(*data)));
  }
  SampleShape shape{{size.height, size.width}};
  if (elements != pixels) shape.dims.push_back(3);
  return array->shaped(shape);
}

/// The same of samples that may be others, which stay what they are.
std::shared_ptr<const Dataset> as_known(const std::shared_ptr<const Dataset>& data,
                                        const SampleShape& shape) {
  const auto array = std::dynamic_pointer_cast<const ArrayDataset>(data);
  const bool such =
      array && data->shape().dims.size() == 1 && data->shape().elements() == shape.elements();
  return such ? array->shaped(shape) : data;
}

}  // namespace

ImageOptions image_form(const OpenOptions& options) {
  ImageOptions form = options.image;
  if (!form.resize) form.resize = options.known.image.resize;
  if (form.channels == ImageChannels::kAsStored) form.channels = options.known.image.channels;
  return form;
}

DataFolder data_folder(const std::filesystem::path& path, std::shared_ptr<const Dataset> train,
                       std::shared_ptr<const Dataset> test, const OpenOptions& options,
                       std::string_view counted, std::shared_ptr<const Dataset> validation) {
  const auto as_asked = [&options](std::shared_ptr<const Dataset> data) {
    if (options.image.flat) {
      data = as_images(data, *options.image.flat);
    } else if (options.known.shape) {
      data = as_known(data, *options.known.shape);
    }
    if (options.in_blocks) {
      if (auto blocks = in_blocks(data)) data = std::move(blocks);
    }
    // What is known is not asked for: other samples stay what they are.
    const bool images = data->dtype() == DType::kUInt8 && image_layout_of(data->shape());
    return ResizedDataset::as_asked(std::move(data), images ? image_form(options) : options.image);
  };
  if (options.in_blocks && in_blocks(train) == nullptr) {
    refuse_whole(path, train->name(), "data of a form");
  }
  train = as_asked(std::move(train));
  for (auto* other : {&test, &validation}) {
    if (!*other) continue;
    *other = as_asked(std::move(*other));
    if ((*other)->shape() == train->shape() && (*other)->dtype() == train->dtype()) {
      check_same_targets(**other, *train);
      continue;
    }
    throw DataError((*other)->name(), std::nullopt,
                    fmt::format("samples of {}, as in {}", describe_samples(*train), train->name()),
                    describe_samples(**other));
  }
  std::string counts = fmt::format("{} training", train->size());
  if (validation) counts += fmt::format(", {} validation", validation->size());
  if (test) counts += fmt::format(" and {} test", test->size());
  auto description = fmt::format("{}: {} {}, {}, {}", path.string(), counts, counted,
                                 describe_samples(*train), describe_labels(*train));
  return {std::move(train), std::move(test), std::move(description), std::move(validation)};
}

std::string left_out_text(std::span<const std::filesystem::path> names) {
  if (names.empty()) return {};
  const auto more = names.size() > 1 ? fmt::format(" and {} more", names.size() - 1) : "";
  return fmt::format("; left out: {}{}", names[0].string(), more);
}

}  // namespace millrace
