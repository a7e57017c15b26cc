#include "tools/cli/inspect.h"

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include "formats/class_sizes.h"
#include "formats/convert.h"
#include "formats/folder.h"
#include "formats/idx.h"
#include "formats/json_text.h"
#include "formats/safetensors.h"
#include "formats/shard_manifest.h"
#include "tools/cli/piece_reader.h"
#include "tools/cli/statistics.h"
#include "tools/cli/storage.h"

namespace millrace {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

// More different values than this are no classes.
constexpr std::size_t kMostClasses = 4096;

Json record(const Statistics& statistics) {
  Json json{{"min", statistics.min()},
            {"max", statistics.max()},
            {"mean", statistics.mean()},
            {"std", statistics.standard_deviation()}};
  if (statistics.nonfinite() > 0) json["nonfinite"] = statistics.nonfinite();
  return json;
}

using Progress = std::function<void(std::uint64_t done, std::uint64_t all)>;

Json record(const Storage& storage) {
  return {{"files", storage.files},           {"shards", storage.shards},
          {"frames", storage.frames},         {"bytes", storage.stored},
          {"content_bytes", storage.content}, {"ratio", storage.ratio()}};
}

/// Of labels, which come in pieces.
class LabelStatistics {
 public:
  explicit LabelStatistics(const Dataset& data)
      : data_(data), histogram_(data.classes()), targets_(data.targets()) {}

  void add(std::span<const std::int32_t> labels) {
    if (targets_.empty()) {
      for (const std::int32_t label : labels) ++histogram_[static_cast<std::size_t>(label)];
      return;
    }
    std::vector<float> values(labels.size() / targets_.size());
    for (std::size_t t = 0; t < targets_.size(); ++t) {
      for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = target_of(labels[i * targets_.size() + t]);
      }
      targets_[t].add(values);
    }
  }

  Json targets() const {
    const auto& names = data_.column_names().targets;
    Json json = Json::array();
    for (std::size_t t = 0; t < targets_.size(); ++t) {
      Json one{{"name", t < names.size() ? Json(utf8_text(names[t])) : Json()}};
      one.update(record(targets_[t]));
      json.push_back(std::move(one));
    }
    return json;
  }
  const std::vector<std::uint64_t>& histogram() const noexcept { return histogram_; }

 private:
  const Dataset& data_;
  std::vector<std::uint64_t> histogram_;  // by class
  std::vector<Statistics> targets_;
};

Json inspect_split(const std::shared_ptr<const Dataset>& data, const Progress& progress) {
  Statistics statistics;
  LabelStatistics label_statistics(*data);
  std::uint64_t done = 0;
  PieceReader(data, 0).read(0, data->size(), [&](auto samples, auto labels) {
    statistics.add(data->dtype(), samples);
    label_statistics.add(labels);
    done += labels.size() / data->label_words();
    if (progress) progress(done, data->size());
    return true;
  });
  const auto& histogram = label_statistics.histogram();
  const bool classes = data->task() == Task::kClassification;
  Json json;
  json["name"] = data->name();
  json["samples"] = data->size();
  json["shape"] = data->shape().dims;
  json["dtype"] = name_of(data->dtype());
  if (classes) {
    json["classes"] = data->classes();
    json["class_names"] = Json::array();
    for (const auto& name : data->class_names()) json["class_names"].push_back(utf8_text(name));
  } else {
    json["targets"] = label_statistics.targets();
  }
  json["statistics"] = record(statistics);
  if (classes) json["histogram"] = histogram;
  json["notes"] = Json::array();
  if (auto note = empty_classes_text(histogram); !note.empty()) json["notes"].push_back(note);
  json["hash"] = data->hash();
  const auto storage = storage_of(*data);
  json["storage"] = storage ? record(*storage) : Json();
  return json;
}

Json inspect_data(const fs::path& path, OpenOptions options, const Progress& progress) {
  options.own_validation = true;
  const DataFolder folder = open_folder(path, options);
  Json json;
  json["kind"] = "data set";
  json["path"] = path.string();
  json["description"] = folder.description;
  json["train"] = inspect_split(folder.train, progress);
  json["validation"] = folder.validation ? inspect_split(folder.validation, progress) : Json();
  json["test"] = folder.test ? inspect_split(folder.test, progress) : Json();
  return json;
}

bool is_integer(DType type) {
  return type != DType::kFloat16 && type != DType::kBFloat16 && type != DType::kFloat32 &&
         type != DType::kFloat64;
}

// Null where there are too many different values for classes.
Json histogram_of(const IdxArray& array) {
  std::vector<float> values(array.elements());
  to_float32(array.dtype(), array.data(), values);
  std::map<std::int64_t, std::uint64_t> counts;
  for (const float value : values) {
    ++counts[static_cast<std::int64_t>(value)];
    if (counts.size() > kMostClasses) return {};
  }
  Json json = Json::object();
  for (const auto& [value, count] : counts) json[std::to_string(value)] = count;
  return json;
}

Json inspect_idx(const fs::path& path) {
  const IdxArray array = read_idx(path);
  Statistics statistics;
  statistics.add(array.dtype(), array.data());
  Json json;
  json["kind"] = "idx";
  json["path"] = path.string();
  json["dtype"] = name_of(array.dtype());
  json["shape"] = array.dims();
  json["elements"] = array.elements();
  json["statistics"] = record(statistics);
  json["storage"] = record(storage_of_idx(path));
  if (array.dims().size() == 1 && is_integer(array.dtype())) {
    json["histogram"] = histogram_of(array);
  }
  return json;
}

Json inspect_safetensors(const fs::path& path) {
  const SafetensorsFile file(path);
  Json json;
  json["kind"] = "safetensors";
  json["path"] = path.string();
  json["verified"] = file.verified();
  json["metadata"] = file.metadata();
  json["tensors"] = Json::array();
  for (const TensorView& tensor : file.tensors()) {
    Statistics statistics;
    statistics.add(tensor.dtype, tensor.data);
    json["tensors"].push_back({{"name", tensor.name},
                               {"dtype", name_of(tensor.dtype)},
                               {"shape", tensor.shape},
                               {"statistics", record(statistics)}});
  }
  return json;
}

}  // namespace

Json inspect(const fs::path& path, const OpenOptions& options, const Progress& progress) {
  std::error_code ignored;
  // Only a data set has images to make others of, columns and targets.
  if (options.image != ImageOptions{} || !options.label_column.empty() ||
      options.table != TableOptions{} || options.task != Task::kClassification) {
    return inspect_data(path, options, progress);
  }
  if (fs::is_directory(path, ignored)) return inspect_data(path, options, progress);
  if (path.filename() == kManifestName) return inspect_data(path, options, progress);
  if (path.extension() == ".safetensors") return inspect_safetensors(path);
  if (is_named_as_data(path)) return inspect_data(path, options, progress);
  return inspect_idx(path);
}

}  // namespace millrace
