#include "tools/model/table_samples.h"

#include <utility>

#include "formats/array_dataset.h"
#include "formats/csv.h"
#include "formats/folder.h"
#include "formats/split_names.h"

namespace millrace {

bool is_table_name(const std::string& path) { return plain_file_name(path).ends_with(".csv"); }

TableSamples table_samples(const TrainedModel& model, const std::filesystem::path& path) {
  auto options = read_table_options(known_data(model));
  options.unlabelled_values = model.spec.features;
  options.task = stored_task(model.task());
  auto read = read_csv(path, options);
  if (options.task == Task::kRegression) {
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

TableSamples open_table(const TrainedModel& model, const std::filesystem::path& path) {
  auto table = table_samples(model, path);
  table.data = seen_by(model, std::move(table.data));
  return table;
}

}  // namespace millrace
