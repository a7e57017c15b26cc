#include "train/checkpoint.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "compute/target_units.h"
#include "compute/tensors.h"
#include "formats/error.h"
#include "formats/safetensors.h"
#include "train/run_state.h"

namespace millrace {
namespace {

constexpr std::string_view kOptimizerPrefix = "optimizer.";
constexpr std::string_view kMomentumSuffix = ".momentum";
constexpr const char* kMean = "input.mean";
constexpr const char* kDeviation = "input.std";
constexpr const char* kTargetMean = "target.mean";
constexpr const char* kTargetDeviation = "target.std";
constexpr std::string_view kStepCountSuffix = ".num_batches_tracked";

// A momentum buffer goes by its parameter's name; all else that an optimizer keeps by its own.
std::string state_name(const std::string& name) {
  const bool buffer = name.ends_with(".weight") || name.ends_with(".bias");
  return std::string(kOptimizerPrefix) + name + std::string(buffer ? kMomentumSuffix : "");
}

TensorView view_of(const Tensor& tensor, std::string name) {
  return {std::move(name), DType::kFloat32, tensor.shape, std::as_bytes(std::span(tensor.values))};
}

Tensor read_tensor(const SafetensorsFile& file, const Tensor& like, const std::string& name) {
  Tensor tensor{like.name, like.shape,
                file.require(name, DType::kFloat32, like.shape).values<float>()};
  for (std::size_t i = 0; i < tensor.values.size(); ++i) {
    if (!std::isfinite(tensor.values[i])) {
      throw DataError(file.path(), std::nullopt, name + " with finite values",
                      std::to_string(tensor.values[i]) + " at element " + std::to_string(i));
    }
  }
  return tensor;
}

// A BatchNorm1d of PyTorch counts its steps, which with a fixed momentum nothing depends on.
bool counts_steps_of(std::string_view name,
                     const std::unordered_set<std::string_view>& parameters) {
  if (!name.ends_with(kStepCountSuffix)) return false;
  name.remove_suffix(kStepCountSuffix.size());
  return parameters.contains(std::string(name) + ".running_mean");
}

bool is_scale(std::string_view name) {
  return name == kMean || name == kDeviation || name == kTargetMean || name == kTargetDeviation;
}

// The file's parameters, and nothing else but optimizer tensors and what was done to samples and
// targets beside them.
Parameters read_parameters(const SafetensorsFile& file, const Parameters& expected) {
  Parameters parameters;
  std::unordered_set<std::string_view> names;
  for (const Tensor& like : expected) {
    parameters.push_back(read_tensor(file, like, like.name));
    names.insert(like.name);
  }
  for (const TensorView& view : file.tensors()) {
    if (!names.contains(view.name) && !view.name.starts_with(kOptimizerPrefix) &&
        !is_scale(view.name) && !counts_steps_of(view.name, names)) {
      throw DataError(
          file.path(), std::nullopt,
          std::to_string(expected.size()) + " parameters, the last of them " + expected.back().name,
          "a tensor " + view.name.substr(0, 80) + " too");
    }
  }
  return parameters;
}

// A run cannot go on as it would have without them.
OptimizerState read_optimizer(const SafetensorsFile& file, const OptimizerState& expected) {
  OptimizerState state;
  for (const Tensor& like : expected) {
    state.push_back(read_tensor(file, like, state_name(like.name)));
  }
  return state;
}

struct Scale {
  std::vector<float> mean;
  std::vector<float> deviation;  // above 0
};

// Tensors of those names; nullopt where the file has neither.
std::optional<Scale> read_scale(const SafetensorsFile& file, const std::string& mean,
                                const std::string& deviation, std::uint64_t size) {
  const auto is_one = [&](const TensorView& view) {
    return view.name == mean || view.name == deviation;
  };
  if (std::ranges::none_of(file.tensors(), is_one)) return std::nullopt;
  Scale scale{read_tensor(file, {mean, {size}, {}}, mean).values,
              read_tensor(file, {deviation, {size}, {}}, deviation).values};
  const auto bad = std::ranges::find_if_not(scale.deviation, [](float d) { return d > 0.0F; });
  if (bad != scale.deviation.end()) {
    throw DataError(
        file.path(), std::nullopt, deviation + " of numbers above 0",
        std::to_string(*bad) + " at element " + std::to_string(bad - scale.deviation.begin()));
  }
  return scale;
}

// Null where the file has none.
std::shared_ptr<const Standardizer> read_standardizer(const SafetensorsFile& file,
                                                      std::uint64_t features) {
  auto scale = read_scale(file, kMean, kDeviation, features);
  if (!scale) return nullptr;
  return std::make_shared<Standardizer>(
      Standardizer{std::move(scale->mean), std::move(scale->deviation)});
}

std::vector<TargetScale> read_target_scales(const SafetensorsFile& file, std::uint64_t targets) {
  std::vector<TargetScale> scales;
  const auto read = read_scale(file, kTargetMean, kTargetDeviation, targets);
  for (std::size_t t = 0; read && t < targets; ++t) {
    scales.push_back({read->mean[t], read->deviation[t]});
  }
  return scales;
}

}  // namespace

void save_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  std::vector<TensorView> views;
  for (const Tensor& tensor : checkpoint.parameters) views.push_back(view_of(tensor, tensor.name));
  if (const auto& by = checkpoint.state.options.sample.standardizer) {
    const std::vector<std::uint64_t> shape{by->mean.size()};
    views.push_back({kMean, DType::kFloat32, shape, std::as_bytes(std::span(by->mean))});
    views.push_back({kDeviation, DType::kFloat32, shape, std::as_bytes(std::span(by->deviation))});
  }
  const auto& scales = checkpoint.state.options.target_scales;
  const auto means = each_of(scales, &TargetScale::mean);
  const auto deviations = each_of(scales, &TargetScale::deviation);
  if (!scales.empty()) {
    const std::vector<std::uint64_t> shape{scales.size()};
    views.push_back({kTargetMean, DType::kFloat32, shape, std::as_bytes(std::span(means))});
    views.push_back(
        {kTargetDeviation, DType::kFloat32, shape, std::as_bytes(std::span(deviations))});
  }
  for (const Tensor& tensor : checkpoint.optimizer) {
    views.push_back(view_of(tensor, state_name(tensor.name)));
  }
  write_safetensors(path, views, encode_run_state(checkpoint.state));
}

MlpSpec model_of(const RunOptions& options) {
  MlpSpec model;
  model.features = options.widths.front();
  const bool as_stored = options.sample.standardizer == nullptr;
  model.input = as_stored ? options.sample.input : InputType::kFloat32;
  model.input_scale = as_stored ? options.sample.scale : 1.0F;
  model.hidden.assign(options.widths.begin() + 1, options.widths.end() - 1);
  model.classes = options.widths.back();
  model.batch_norm = options.batch_norm;
  model.dropout = options.dropout;
  model.activation = options.activation;
  model.loss = options.loss;
  model.target_scales = options.target_scales;
  return model;
}

Checkpoint load_checkpoint(const std::filesystem::path& path) {
  const SafetensorsFile file(path);
  Checkpoint checkpoint;
  checkpoint.state = decode_run_state(path, file.metadata());
  // Damage to the hash's own name would else pass for a file of another program.
  if (!file.verified()) {
    throw DataError(path, std::nullopt, "the content's hash as " + std::string(kIntegrityKey),
                    "none");
  }
  const auto& widths = checkpoint.state.options.widths;
  if (widths.size() < 2) {
    throw DataError(path, std::nullopt, "at least two layer widths", std::to_string(widths.size()));
  }
  checkpoint.state.options.sample.standardizer = read_standardizer(file, widths.front());
  if (checkpoint.state.options.task() == Task::kRegression) {
    checkpoint.state.options.target_scales = read_target_scales(file, widths.back());
  }
  // Names and shapes without values: a lying header must not cost memory.
  const RunOptions& options = checkpoint.state.options;
  const MlpSpec model = model_of(options);
  checkpoint.parameters = read_parameters(file, parameter_shapes(model));
  checkpoint.optimizer = read_optimizer(file, optimizer_state_shapes(model, options.optimizer));
  return checkpoint;
}

Parameters load_parameters(const std::filesystem::path& path, const MlpSpec& model) {
  const SafetensorsFile file(path);
  return read_parameters(file, parameter_shapes(model));
}

std::shared_ptr<const Standardizer> load_standardizer(const std::filesystem::path& path,
                                                      std::uint64_t features) {
  return read_standardizer(SafetensorsFile(path), features);
}

std::vector<TargetScale> load_target_scales(const std::filesystem::path& path,
                                            std::uint64_t targets) {
  return read_target_scales(SafetensorsFile(path), targets);
}

}  // namespace millrace
