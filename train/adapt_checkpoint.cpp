#include "train/adapt_checkpoint.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <numeric>
#include <utility>

#include "compute/tensors.h"

namespace millrace {
namespace {

std::string module_of(const std::string& name) { return name.substr(0, name.find('.')); }

void rename_modules(Checkpoint& checkpoint, const MlpSpec& model) {
  const auto before = parameter_shapes(model_of(checkpoint.state.options));
  const auto now = parameter_shapes(model);
  std::map<std::string, std::string> modules;
  for (std::size_t t = 0; t < before.size(); ++t) {
    modules[module_of(before[t].name)] = module_of(now[t].name);
  }
  for (auto* tensors : {&checkpoint.parameters, &checkpoint.optimizer}) {
    for (Tensor& tensor : *tensors) {
      const std::string module = module_of(tensor.name);
      if (const auto found = modules.find(module); found != modules.end()) {
        tensor.name = found->second + tensor.name.substr(module.size());
      }
    }
  }
}

std::vector<float> zeros(const Tensor& like) {
  return std::vector<float>(
      std::accumulate(like.shape.begin(), like.shape.end(), std::size_t{1}, std::multiplies<>()));
}

}  // namespace

std::optional<std::string> adapt_checkpoint(Checkpoint& checkpoint, const MlpSpec& model,
                                            const OptimizerSpec& optimizer) {
  rename_modules(checkpoint, model);
  OptimizerState state = optimizer_state_shapes(model, optimizer);
  bool starts = false;
  for (Tensor& tensor : state) {
    const auto found = std::ranges::find(checkpoint.optimizer, tensor.name, &Tensor::name);
    if (found != checkpoint.optimizer.end()) {
      tensor.values = std::move(found->values);
    } else if (tensor.name == kStepTensor) {
      tensor = step_tensor(checkpoint.state.step);
    } else {
      tensor.values = zeros(tensor);
      starts = true;
    }
  }
  checkpoint.optimizer = std::move(state);
  if (!starts) return std::nullopt;
  if (!optimizer.adaptive()) return "no momentum: it starts from zero";
  checkpoint.optimizer.back() = step_tensor(0);
  return "no such optimizer's state: it starts anew";
}

}  // namespace millrace
