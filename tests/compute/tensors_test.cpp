#include "compute/tensors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
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

}  // namespace
}  // namespace millrace
