#include "compute/tensors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

namespace millrace {
namespace {

MlpSpec model_of(std::uint32_t features, std::vector<std::uint32_t> hidden, std::uint32_t classes) {
  MlpSpec model;
  model.features = features;
  model.hidden = std::move(hidden);
  model.classes = classes;
  return model;
}

TEST(Tensors, AreNamedAndShapedAsTorchDoes) {
  const Parameters tensors = empty_parameters(model_of(4, {3, 2}, 5));
  ASSERT_EQ(tensors.size(), 6U);
  EXPECT_EQ(tensors[0], (Tensor{"0.weight", {3, 4}, std::vector<float>(12)}));
  EXPECT_EQ(tensors[1], (Tensor{"0.bias", {3}, std::vector<float>(3)}));
  EXPECT_EQ(tensors[2].name, "2.weight");
  EXPECT_EQ(tensors[5], (Tensor{"4.bias", {5}, std::vector<float>(5)}));
}

TEST(InitialParameters, AreUniformWithinTheirBound) {
  for (const Tensor& tensor : initial_parameters(model_of(784, {1000}, 1000), 1)) {
    const double bound = 1.0 / std::sqrt(tensor.name[0] == '0' ? 784.0 : 1000.0);
    const auto n = static_cast<double>(tensor.values.size());
    double sum = 0.0;
    double squares = 0.0;
    float largest = 0.0F;
    for (const float v : tensor.values) {
      sum += double{v};
      squares += double{v} * double{v};
      largest = std::max(largest, std::abs(v));
    }
    EXPECT_LE(largest, bound) << tensor.name;
    EXPECT_GT(largest, 0.98 * bound) << tensor.name;
    // Five standard deviations of the mean, and of the mean square, of n uniform draws.
    EXPECT_NEAR(sum / n, 0.0, 5 * bound / std::sqrt(3 * n)) << tensor.name;
    EXPECT_NEAR(squares / n, bound * bound / 3, 5 * bound * bound * std::sqrt(4.0 / 45.0 / n))
        << tensor.name;
  }
}

TEST(InitialParameters, HaveTheBoundsThatTheirInitializerSays) {
  const auto largest = [](const Tensor& tensor) {
    float most = 0.0F;
    for (const float v : tensor.values) most = std::max(most, std::abs(v));
    return double{most};
  };
  const MlpSpec model = model_of(300, {500}, 200);
  const auto plain = initial_parameters(model, 1);
  for (const auto& [initializer, first, second] :
       {std::tuple{Initializer::kHe, std::sqrt(6.0 / 300), std::sqrt(6.0 / 500)},
        std::tuple{Initializer::kXavier, std::sqrt(6.0 / 800), std::sqrt(6.0 / 700)}}) {
    const auto tensors = initial_parameters(model, 1, initializer);
    EXPECT_LE(largest(tensors[0]), first * (1 + 1e-7));
    EXPECT_GT(largest(tensors[0]), 0.999 * first);
    EXPECT_GT(largest(tensors[2]), 0.999 * second);
    EXPECT_LE(largest(tensors[2]), second * (1 + 1e-7));
    EXPECT_EQ(largest(tensors[1]), 0.0);
    EXPECT_EQ(largest(tensors[3]), 0.0);
    // The same draws, stretched.
    EXPECT_NEAR(tensors[0].values[77] / plain[0].values[77], first * std::sqrt(300.0), 1e-5);
    EXPECT_EQ(initializer_called(name_of(initializer)), initializer);
  }
  EXPECT_EQ(initializer_called("zeros"), std::nullopt);
}

TEST(InitialParameters, DependOnSeedAndTensorAlone) {
  const auto net = initial_parameters(model_of(64, {64}, 64), 7);
  EXPECT_EQ(net, initial_parameters(model_of(64, {64}, 64), 7));
  EXPECT_NE(net[0].values, initial_parameters(model_of(64, {64}, 64), 8)[0].values);
  EXPECT_NE(net[0].values, initial_parameters(model_of(64, {64}, 64), 7 + (1ULL << 40U))[0].values);
  EXPECT_NE(net[0].values, net[2].values);
  // Value i of a tensor is the same whatever stands around it.
  const auto wider = initial_parameters(model_of(64, {100, 9}, 3), 7);
  EXPECT_TRUE(std::equal(net[0].values.begin(), net[0].values.end(), wider[0].values.begin()));
  EXPECT_TRUE(std::equal(net[1].values.begin(), net[1].values.end(), wider[1].values.begin()));
}

TEST(MatchTensors, OrdersWhatIsGiven) {
  const MlpSpec model = model_of(2, {3}, 2);
  Parameters given = empty_parameters(model);
  std::reverse(given.begin(), given.end());
  const auto matched = match_tensors(model, given);
  ASSERT_EQ(matched.size(), 4U);
  EXPECT_EQ(matched[0]->name, "0.weight");
  EXPECT_EQ(matched[3]->name, "2.bias");
}

std::string refusal(const std::function<void(Parameters&)>& spoil) {
  const MlpSpec model = model_of(2, {3}, 2);
  Parameters given = empty_parameters(model);
  spoil(given);
  try {
    match_tensors(model, given);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

TEST(MatchTensors, NamesTheOneThatDoesNotFit) {
  EXPECT_EQ(refusal([](Parameters& p) { p.erase(p.begin() + 1); }),
            "0.bias: expected [3], found no such tensor");
  EXPECT_EQ(refusal([](Parameters& p) {
              p[2].shape = {3, 2};
            }),
            "2.weight: expected [2, 3], found [3, 2]");
  EXPECT_NE(refusal([](Parameters& p) { p[2].values.pop_back(); }), "accepted");
  EXPECT_EQ(refusal([](Parameters& p) {
              p.push_back({"4.bias", {2}, {0, 0}});
            }),
            "4.bias: expected no such tensor, found [2]");
  EXPECT_EQ(refusal([](Parameters& p) { p.push_back(p[0]); }),
            "0.weight: expected once, found twice");
}

MlpSpec normed_model() {
  MlpSpec model;
  model.features = 3;
  model.hidden = {4, 2};
  model.classes = 5;
  model.batch_norm = true;
  model.dropout = 0.1F;
  return model;
}

TEST(ParameterShapes, AreTheStateDictOfTheSequential) {
  std::string all;
  for (const Tensor& tensor : parameter_shapes(normed_model())) {
    EXPECT_TRUE(tensor.values.empty());
    all += tensor.name + " ";
  }
  EXPECT_EQ(all,
            "0.weight 1.weight 1.bias 1.running_mean 1.running_var "
            "4.weight 5.weight 5.bias 5.running_mean 5.running_var 8.weight 8.bias ");
}

TEST(OptimizerStateShapes, FollowTheOptimizer) {
  OptimizerSpec optimizer;
  const auto names = [&] {
    std::string all;
    for (const Tensor& tensor : optimizer_state_shapes(normed_model(), optimizer)) {
      all += tensor.name + " ";
    }
    return all;
  };
  EXPECT_EQ(names(), "step ");
  optimizer.momentum = 0.9F;
  EXPECT_EQ(names(), "0.weight 1.weight 1.bias 4.weight 5.weight 5.bias 8.weight 8.bias step ");
  optimizer.kind = OptimizerSpec::Kind::kAdam;
  EXPECT_TRUE(names().starts_with("0.weight.exp_avg 1.weight.exp_avg ")) << names();
  EXPECT_TRUE(names().ends_with(" 8.bias.exp_avg_sq step ")) << names();
}

TEST(StepTensor, HoldsAnyNumberOfSteps) {
  for (const std::uint64_t steps : {0ULL, 1ULL, 1048575ULL, 1048576ULL, 123456789012ULL}) {
    const OptimizerState state{{"0.weight", {1}, {1.0F}}, step_tensor(steps)};
    EXPECT_EQ(steps_in(state), steps);
  }
  EXPECT_THROW(steps_in({{"0.weight", {1}, {1.0F}}}), std::invalid_argument);
}

TEST(MatchState, TakesMomentumWhereItMayBe) {
  const MlpSpec model = normed_model();
  OptimizerSpec optimizer{.momentum = 0.9F, .ema = 0.5F};
  OptimizerState state = empty_state(model, optimizer);
  state.insert(state.begin(), step_tensor(3));
  const auto names = [&](bool moments) {
    std::string all;
    for (const Tensor* tensor : match_state(model, optimizer, moments, state)) {
      all += tensor->name + ' ';
    }
    return all;
  };
  const std::string momentum = "0.weight 1.weight 1.bias 4.weight 5.weight 5.bias 8.weight 8.bias ";
  EXPECT_TRUE(names(true).starts_with(momentum + "0.weight.raw ")) << names(true);
  EXPECT_TRUE(names(true).ends_with("8.bias.raw ")) << names(true);
  optimizer.momentum = 0.0F;
  EXPECT_TRUE(names(false).starts_with(momentum));
  std::erase_if(state, [](const Tensor& tensor) {
    return tensor.name != kStepTensor && !tensor.name.ends_with(kRawSuffix);
  });
  EXPECT_TRUE(names(false).starts_with("0.weight.raw ")) << names(false);
  EXPECT_THROW(names(true), std::invalid_argument);
  std::erase_if(state, [](const Tensor& tensor) { return tensor.name == kStepTensor; });
  EXPECT_THROW(names(false), std::invalid_argument);
}

TEST(InitialParameters, OfNormalisationAreOnesAndZeros) {
  for (const Tensor& tensor : initial_parameters(normed_model(), 1)) {
    if (tensor.shape.size() == 2 || tensor.name == "8.bias") {
      EXPECT_NE(tensor.values[0], tensor.values[1]) << tensor.name;
      continue;
    }
    const bool one = tensor.name.ends_with("weight") || tensor.name.ends_with("var");
    for (const float value : tensor.values) EXPECT_EQ(value, one ? 1.0F : 0.0F) << tensor.name;
  }
}

TEST(Folded, ComputesWhatTheEngineEvaluates) {
  const MlpSpec model = normed_model();
  Parameters parameters = initial_parameters(model, 3);
  float next = 0.3F;
  for (Tensor& tensor : parameters) {
    if (tensor.shape.size() == 2) continue;
    for (float& value : tensor.values) value = next = std::fmod(next * 1.7F + 0.11F, 2.0F) + 0.05F;
  }
  MlpSpec plain = model;
  plain.batch_norm = false;
  TrainSpec train;
  train.batch = 1;
  const Device cpu{Device::Kind::kCpu, 0, 1};
  const auto normed = make_engine(model, train, cpu);
  const auto folded_engine = make_engine(plain, train, cpu);
  normed->set_parameters(parameters);
  folded_engine->set_parameters(folded(model, parameters));
  const std::vector<std::uint8_t> samples{0, 10, 255, 80, 3, 200};
  const std::vector<std::int32_t> labels{0, 1};
  Chunk chunk;
  chunk.batch = 1;
  chunk.count = 2;
  chunk.samples = std::as_bytes(std::span(samples));
  chunk.labels = labels;
  std::vector<float> expected(10);
  std::vector<float> found(10);
  normed->predict(chunk, expected);
  folded_engine->predict(chunk, found);
  for (std::size_t i = 0; i < 10; ++i) EXPECT_NEAR(found[i], expected[i], 1e-5F) << i;
}

}  // namespace
}  // namespace millrace
