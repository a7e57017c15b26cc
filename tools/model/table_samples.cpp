#include "tools/model/table_samples.h"

#include <utility>

#include "formats/array_dataset.h"
#include "formats/csv.h"
#include "formats/folder.h"
#include "formats/parquet.h"
#include "formats/parquet_images.h"
#include "formats/split_names.h"

namespace millrace {

namespace {

bool is_parquet_name(const std::filesystem::path& path) {
  return plain_file_name(path).ends_with(".parquet");
}

ReadTableOptions unlabelled_options(const TrainedModel& model, const KnownData& known) {
  auto options = read_table_options(known);
  options.unlabelled_values = model.spec.features;
  options.task = stored_task(model.task());
  return options;
}

TableSamples samples_of(const TrainedModel& model, ReadTable read) {
  if (stored_task(model.task()) == Task::kRegression) {
    const std::uint32_t targets = model.spec.classes;
    read.labels = {.values = std::vector<std::int32_t>(read.samples.dims[0] * targets),
                   .targets = targets};
    read.columns.targets.clear();
  }
  // Labels say nothing: neither do their names.
  std::shared_ptr<const ArrayDataset> data =
      std::make_shared<const ArrayDataset>(std::move(read.samples), std::move(read.labels),
                                           std::vector<std::string>{}, std::move(read.columns));
  // Lines of pixels, for a model of images.
  if (const auto shape = model.sample_shape(); shape.elements() == data->shape().elements()) {
    data = data->shaped(shape);
  }
  check_goes_with(model, *data);
  return {.data = std::move(data), .unknown = std::move(read.unknown)};
}

}  // namespace

bool is_table_name(const std::string& path) {
  return plain_file_name(path).ends_with(".csv") || is_parquet_name(path);
}

TableSamples table_samples(const TrainedModel& model, const std::filesystem::path& path) {
  const auto known = known_data(model);
  const auto options = unlabelled_options(model, known);
  if (!is_parquet_name(path)) return samples_of(model, read_csv(path, options));
  std::vector files{std::make_shared<const ParquetFile>(path)};
  const auto& dropped =
      known.columns ? known.columns->names.form.dropped : std::vector<std::string>{};
  if (!image_leaf(*files[0], dropped)) {
    return samples_of(model, ParquetTable(std::move(files), options).read());
  }
  auto images = std::make_shared<const ParquetImages>(std::move(files), known.image, options,
                                                      ParquetImages::Headers::kAnyReadable);
  check_goes_with(model, *images);
  return {.data = std::move(images), .unknown = {}, .images = true};
}

TableSamples table_samples(const TrainedModel& model, const MemoryTable& table) {
  return samples_of(model, read_memory_table(table, unlabelled_options(model, known_data(model))));
}

TableSamples open_table(const TrainedModel& model, const std::filesystem::path& path) {
  auto table = table_samples(model, path);
  table.data = seen_by(model, std::move(table.data));
  return table;
}

}  // namespace millrace
