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

std::string shape_text(const std::vector<std::uint64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(shape[i]);
  }
  return text + "]";
}

}  // namespace

Parameters empty_parameters(const MlpSpec& model) {
  const auto widths = model.widths();
  Parameters tensors;
  for (std::size_t layer = 0; layer + 1 < widths.size(); ++layer) {
    // In torch.nn.Sequential every other module is a ReLU, which has no parameters.
    const std::string prefix = std::to_string(2 * layer);
    const std::uint64_t in = widths[layer];
    const std::uint64_t out = widths[layer + 1];
    tensors.push_back({prefix + ".weight", {out, in}, std::vector<float>(out * in)});
    tensors.push_back({prefix + ".bias", {out}, std::vector<float>(out)});
  }
  return tensors;
}

Parameters initial_parameters(const MlpSpec& model, std::uint64_t seed) {
  const auto widths = model.widths();
  Parameters tensors = empty_parameters(model);
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    const double bound = 1.0 / std::sqrt(static_cast<double>(widths[t / 2]));
    auto& values = tensors[t].values;
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
  const Parameters wanted = empty_parameters(model);
  std::vector<const Tensor*> matched;
  for (const Tensor& want : wanted) {
    const auto found = std::find_if(given.begin(), given.end(),
                                    [&](const Tensor& t) { return t.name == want.name; });
    if (found == given.end()) {
      throw std::invalid_argument(want.name + ": expected " + shape_text(want.shape) +
                                  ", found no such tensor");
    }
    if (found->shape != want.shape || found->values.size() != want.values.size()) {
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

}  // namespace millrace
