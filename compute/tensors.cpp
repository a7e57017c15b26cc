#include "compute/tensors.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <stdexcept>

#include "formats/philox.h"

namespace millrace {
namespace {

// Keeps the draws of initial parameters apart from every other use of the same seed.
constexpr std::uint32_t kInitialisationStream = 0x696E6974;

// Of the two digits of a number of steps: float32 has such numbers exactly.
constexpr std::uint64_t kStepBase = std::uint64_t{1} << 20U;

std::uint64_t elements(const Tensor& tensor) {
  std::uint64_t count = 1;
  for (const std::uint64_t dim : tensor.shape) count *= dim;
  return count;
}

// Of weights [out, in]; kPyTorch's bias has its weights' bound.
double bound_of(Initializer initializer, const std::vector<std::uint64_t>& shape) {
  const auto inputs = static_cast<double>(shape[1]);
  switch (initializer) {
    case Initializer::kHe:
      return std::sqrt(6.0 / inputs);
    case Initializer::kXavier:
      return std::sqrt(6.0 / (inputs + static_cast<double>(shape[0])));
    case Initializer::kPyTorch:
      break;
  }
  return 1.0 / std::sqrt(inputs);
}

std::string shape_text(const std::vector<std::uint64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(shape[i]);
  }
  return text + "]";
}

}  // namespace

Parameters parameter_shapes(const MlpSpec& model) {
  const auto widths = model.widths();
  Parameters tensors;
  // The place in torch.nn.Sequential, where ReLU and Dropout have none.
  std::size_t module = 0;
  for (std::size_t layer = 0; layer + 1 < widths.size(); ++layer) {
    const bool normed = model.batch_norm && layer + 2 < widths.size();
    const std::uint64_t in = widths[layer];
    const std::uint64_t out = widths[layer + 1];
    const auto add = [&](const char* name, std::vector<std::uint64_t> shape) {
      tensors.push_back({std::to_string(module) + name, std::move(shape), {}});
    };
    add(".weight", {out, in});
    if (!normed) add(".bias", {out});
    if (normed) {
      ++module;
      for (const char* name : {".weight", ".bias", ".running_mean", ".running_var"})
        add(name, {out});
    }
    module += model.dropout > 0.0F ? 3 : 2;
  }
  return tensors;
}

Parameters empty_parameters(const MlpSpec& model) {
  Parameters tensors = parameter_shapes(model);
  for (Tensor& tensor : tensors) tensor.values.resize(elements(tensor));
  return tensors;
}

bool is_trained(const Tensor& parameter) noexcept {
  return !parameter.name.ends_with(".running_mean") && !parameter.name.ends_with(".running_var");
}

Parameters folded(const MlpSpec& model, const Parameters& parameters) {
  MlpSpec plain = model;
  plain.batch_norm = false;
  Parameters all = empty_parameters(plain);
  const auto given = match_tensors(model, parameters);
  std::size_t next = 0;
  for (std::size_t layer = 0; layer < all.size() / 2; ++layer) {
    Tensor& weight = all[2 * layer];
    Tensor& bias = all[2 * layer + 1];
    weight.values = given[next++]->values;
    if (!model.batch_norm || layer + 1 == all.size() / 2) {
      bias.values = given[next++]->values;
      continue;
    }
    const auto& gamma = given[next++]->values;
    const auto& beta = given[next++]->values;
    const auto& mean = given[next++]->values;
    const auto& variance = given[next++]->values;
    const std::size_t in = weight.shape[1];
    for (std::size_t o = 0; o < gamma.size(); ++o) {
      const double factor =
          double{gamma[o]} / std::sqrt(double{variance[o]} + double{kNormEpsilon});
      for (std::size_t i = 0; i < in; ++i) {
        float& w = weight.values[o * in + i];
        w = static_cast<float>(double{w} * factor);
      }
      bias.values[o] = static_cast<float>(double{beta[o]} - double{mean[o]} * factor);
    }
  }
  return all;
}

OptimizerState optimizer_state_shapes(const MlpSpec& model, const OptimizerSpec& optimizer) {
  OptimizerState tensors;
  const auto add_all = [&](const char* suffix) {
    for (Tensor& tensor : parameter_shapes(model)) {
      if (is_trained(tensor)) tensors.push_back({tensor.name + suffix, tensor.shape, {}});
    }
  };
  if (optimizer.adaptive()) {
    add_all(kFirstMomentSuffix);
    add_all(kSecondMomentSuffix);
  } else if (optimizer.momentum != 0.0F) {
    add_all("");
  }
  if (optimizer.ema > 0.0F) {
    for (Tensor& tensor : parameter_shapes(model)) {
      tensors.push_back({tensor.name + kRawSuffix, tensor.shape, {}});
    }
  }
  if (counts_steps(model, optimizer)) tensors.push_back({kStepTensor, {2}, {}});
  return tensors;
}

OptimizerState empty_state(const MlpSpec& model, OptimizerSpec optimizer, bool moments) {
  if (!optimizer.adaptive()) optimizer.momentum = 1.0F;
  OptimizerState tensors = optimizer_state_shapes(model, optimizer);
  std::erase_if(tensors, [moments](const Tensor& tensor) {
    return tensor.name == kStepTensor || (!moments && !tensor.name.ends_with(kRawSuffix));
  });
  for (Tensor& tensor : tensors) tensor.values.resize(elements(tensor));
  return tensors;
}

bool counts_steps(const MlpSpec& model, const OptimizerSpec& optimizer) noexcept {
  return optimizer.adaptive() || optimizer.ema > 0.0F || model.dropout > 0.0F;
}

Tensor step_tensor(std::uint64_t steps) {
  const std::uint64_t high = steps / kStepBase;
  return {kStepTensor, {2}, {static_cast<float>(steps % kStepBase), static_cast<float>(high)}};
}

std::uint64_t steps_in(const OptimizerState& state) {
  const auto step = std::ranges::find(state, kStepTensor, &Tensor::name);
  if (step == state.end() || step->values.size() != 2) {
    throw std::invalid_argument("optimizer state: expected a tensor step [2], found none");
  }
  const auto digit = [&](std::size_t i) {
    const float value = step->values[i];
    return value > 0.0F ? static_cast<std::uint64_t>(std::min(value, 16777216.0F)) : 0;
  };
  return digit(1) * kStepBase + digit(0);
}

Parameters initial_parameters(const MlpSpec& model, std::uint64_t seed, Initializer initializer) {
  Parameters tensors = empty_parameters(model);
  double bound = 1.0;
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    auto& values = tensors[t].values;
    const bool matrix = tensors[t].shape.size() == 2;
    if (matrix) bound = bound_of(initializer, tensors[t].shape);
    const bool linear =
        matrix || (tensors[t].name.ends_with(".bias") && tensors[t - 1].shape.size() == 2);
    if (!linear || (!matrix && initializer != Initializer::kPyTorch)) {
      const bool one =
          !linear && (tensors[t].name.ends_with(".weight") || tensors[t].name.ends_with("_var"));
      std::fill(values.begin(), values.end(), one ? 1.0F : 0.0F);
      continue;
    }
    for (std::size_t i = 0; i < values.size(); i += 4) {
      const auto words = Philox::generate(
          {static_cast<std::uint32_t>(i / 4), static_cast<std::uint32_t>((i / 4) >> 32U),
           static_cast<std::uint32_t>(t), kInitialisationStream},
          {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32U)});
      for (std::size_t j = 0; j < 4 && i + j < values.size(); ++j) {
        // 24 bits, centred in their interval: never exactly an end of the range.
        const double unit =
            (static_cast<double>(words[j] >> 8U) + 0.5) / static_cast<double>(1U << 24U);
        values[i + j] = static_cast<float>((2.0 * unit - 1.0) * bound);
      }
    }
  }
  return tensors;
}

std::vector<const Tensor*> match_tensors(const MlpSpec& model, const std::vector<Tensor>& given) {
  return match_tensors(parameter_shapes(model), given);
}

std::vector<const Tensor*> match_tensors(const std::vector<Tensor>& wanted,
                                         const std::vector<Tensor>& given) {
  std::vector<const Tensor*> matched;
  for (const Tensor& want : wanted) {
    const auto found = std::find_if(given.begin(), given.end(),
                                    [&](const Tensor& t) { return t.name == want.name; });
    if (found == given.end()) {
      throw std::invalid_argument(want.name + ": expected " + shape_text(want.shape) +
                                  ", found no such tensor");
    }
    if (found->shape != want.shape || found->values.size() != elements(want)) {
      throw std::invalid_argument(want.name + ": expected " + shape_text(want.shape) + ", found " +
                                  shape_text(found->shape));
    }
    if (std::any_of(std::next(found), given.end(),
                    [&](const Tensor& t) { return t.name == want.name; })) {
      throw std::invalid_argument(want.name + ": expected once, found twice");
    }
    matched.push_back(&*found);
  }
  for (const Tensor& tensor : given) {
    if (std::none_of(wanted.begin(), wanted.end(),
                     [&](const Tensor& w) { return w.name == tensor.name; })) {
      throw std::invalid_argument(tensor.name + ": expected no such tensor, found " +
                                  shape_text(tensor.shape));
    }
  }
  return matched;
}

std::vector<const Tensor*> match_state(const MlpSpec& model, OptimizerSpec optimizer, bool moments,
                                       const OptimizerState& given) {
  const auto is_moment = [](const Tensor& tensor) {
    return !tensor.name.ends_with(kRawSuffix) && tensor.name != kStepTensor;
  };
  if (!optimizer.adaptive()) {
    optimizer.momentum = moments || std::ranges::any_of(given, is_moment) ? 1.0F : 0.0F;
  }
  auto matched = match_tensors(optimizer_state_shapes(model, optimizer), given);
  if (counts_steps(model, optimizer)) matched.pop_back();
  return matched;
}

}  // namespace millrace
