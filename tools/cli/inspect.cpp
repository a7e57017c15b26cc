#include "tools/cli/inspect.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <system_error>
#include <vector>

#include "formats/folder.h"
#include "formats/idx.h"
#include "formats/safetensors.h"
#include "loader/convert.h"
#include "tools/cli/statistics.h"

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

Json inspect_split(const Dataset& data) {
  constexpr std::uint64_t kMostSamples = 1024;
  constexpr std::uint64_t kMostBytes = std::uint64_t{64} << 20U;
  const std::uint64_t block =
      std::clamp<std::uint64_t>(kMostBytes / data.sample_bytes(), 1, kMostSamples);
  Statistics statistics;
  std::vector<std::uint64_t> histogram(data.classes());
  std::vector<std::uint64_t> ids;
  std::vector<std::byte> samples;
  std::vector<std::int32_t> labels;
  for (std::uint64_t first = 0; first < data.size(); first += block) {
    const auto count = static_cast<std::size_t>(std::min(block, data.size() - first));
    ids.resize(count);
    std::iota(ids.begin(), ids.end(), first);
    samples.resize(count * data.sample_bytes());
    labels.resize(count);
    data.read(ids, samples, labels);
    statistics.add(data.dtype(), samples);
    for (const std::int32_t label : labels) ++histogram[static_cast<std::size_t>(label)];
  }
  Json json;
  json["name"] = data.name();
  json["samples"] = data.size();
  json["shape"] = data.shape().dims;
  json["dtype"] = name_of(data.dtype());
  json["classes"] = data.classes();
  json["statistics"] = record(statistics);
  json["histogram"] = histogram;
  json["hash"] = data.hash();
  return json;
}

Json inspect_data(const fs::path& path, const ImageOptions& images) {
  const DataFolder folder = open_folder(path, {.image = images});
  Json json;
  json["kind"] = "data set";
  json["path"] = path.string();
  json["description"] = folder.description;
  json["train"] = inspect_split(*folder.train);
  json["test"] = folder.test ? inspect_split(*folder.test) : Json();
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

Json inspect(const fs::path& path, const ImageOptions& images) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return inspect_data(path, images);
  if (path.extension() == ".safetensors") return inspect_safetensors(path);
  return inspect_idx(path);
}

}  // namespace millrace
